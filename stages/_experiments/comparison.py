"""A comparison from its file to its report: what is planned, what DVC has of it already, and what has to run."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from pipeline.base.errors import UserError
from pipeline.base.names import METRICS_FOLDER
from pipeline.evaluation.by_query import read_by_query
from pipeline.experiments.changes import MAIN, Params
from pipeline.experiments.check import check_changes
from pipeline.experiments.groups import Groups
from pipeline.experiments.metrics import check_metric
from pipeline.experiments.plan import PlannedRun, plan_runs, read_comparison, setting_changes
from pipeline.experiments.report import write_report
from pipeline.experiments.summary import read_values
from stages._experiments.dependencies import dependencies, files_at
from stages._experiments.git import tracked_files, uncommitted_files
from stages._experiments.overrides import overrides
from stages._experiments.queue import CATEGORIES, Queue, open_repo, queueing
from stages._experiments.running import run_all

FOLDER = METRICS_FOLDER / "compare"


def compare(file: Path, *, jobs: int, dry_run: bool, report_only: bool) -> None:
    """Run what is missing of the comparison in `file`, and report what is finished.

    `dry_run`: say what would run; `report_only`: run nothing. Raises UserError for a mistake before anything is
    queued, and afterwards where runs failed or none is finished.
    """
    comparison, params, tracked = read_comparison(file), Params(), tracked_files()
    changes = setting_changes(comparison, params)
    settings = {name: params.changed(made) for name, made in changes.items()}
    check_changes(settings)
    check_metric(comparison.metric, comparison.scope, {name: made[MAIN] for name, made in settings.items()})
    with open_repo() as repo:
        queue = Queue(repo)
        runs = plan_runs(comparison, file.stem, params, lambda made: dependencies(repo, made, tracked))
        wanted = {run.name: overrides(run.changes, params) for run in runs}
        stored = queue.stored()
        missing = [run for run in runs if run.name not in stored]
        _say(f"{len(runs)} runs, {len(runs) - len(missing)} of them finished")
        if dry_run:
            for name, made in wanted.items():
                click.echo(f"{name}: finished" if name in stored else shlex.join(queueing(name, made)))
            return
        failures = {} if report_only or not missing else _run(queue, missing, wanted, jobs)
        for name, why in failures.items():
            click.echo(f"compare: {name}: {why}", err=True)
        again = f"try again: python -m stages.compare {shlex.quote(str(file))}"
        stored = queue.stored()
        finished = {(run.setting, run.seed): run.name for run in runs if run.name in stored}
        if not finished:
            raise UserError(f"no run is finished; {again}")
        of = {"metric": comparison.metric, "scope": comparison.scope}
        results = {key: queue.result(stored[name]) for key, name in finished.items()}
        values = {key: read_values(results[key], **of, where=name) for key, name in finished.items()}
        groups = None
        if comparison.by_category:
            of_runs = {key: queue.result(stored[name], CATEGORIES) for key, name in finished.items()}
            groups = Groups(next(iter(results.values())).get("group", "category"), of_runs)
        queries = {key: read_by_query(queue.queries(stored[name]), **of) for key, name in finished.items()}
    # Figures of all pictures together are of no query.
    single = None if None in queries.values() else queries
    table = write_report(
        FOLDER / file.stem, comparison, changes, values, queries=single, groups=groups, failures=failures
    )
    _say(f"{FOLDER / file.stem}.md\n\n{table}")
    if failures:
        raise UserError(f"{len(failures)} of {len(runs)} runs failed, as said above; {again}")
    if len(finished) < len(runs):
        _say(f"{len(runs) - len(finished)} runs are not finished")


def _run(queue: Queue, missing: list[PlannedRun], wanted: Mapping[str, Sequence[str]], jobs: int) -> dict[str, str]:
    edited = files_at({path for run in missing for path in run.reads.paths}, uncommitted_files())
    if edited:
        _say(f"the runs take along what is not committed: {', '.join(edited)}")
    try:
        return run_all(queue, {run.name: wanted[run.name] for run in missing}, jobs, _say)
    except KeyboardInterrupt:
        raise UserError(
            "interrupted; what runs goes on, and the same command takes up what is in the queue; "
            "`dvc queue stop --kill` ends the runs, `dvc queue remove --queued` empties the queue"
        ) from None


def _say(line: str) -> None:
    click.echo(f"compare: {line}")
