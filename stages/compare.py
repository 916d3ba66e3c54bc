"""Command compare: settings x seeds as experiments of DVC, and one table of them. Not a stage of the chain."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stages._cli import one_line_errors

if TYPE_CHECKING:
    from pipeline.experiments.plan import Comparison, PlannedRun
    from stages._experiments.dependencies import StageEntry

FOLDER = "compare"  # in the folder of metrics


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at a time.")
@click.option("--dry-run", is_flag=True, help="Say which runs are finished, and how the others would be queued.")
@click.option("--report-only", is_flag=True, help="Run nothing; report what is finished.")
def main(file: Path, jobs: int, dry_run: bool, report_only: bool) -> None:
    """Run the settings in FILE with each of its seeds as experiments, and compare them.

    FILE (docs/comparisons/recipes.yaml shows its keys) gives the comparison its name. Every run is an experiment in
    DVC's queue, named <comparison>-<setting>-<seed>-<digest>; the digest covers what dvc.yaml says that its stages
    depend on: commands, params and tracked files, and requirements.lock. A run that is there already is not repeated,
    so a comparison that was killed goes on where it stopped. Changes that are not committed are part of the runs, new
    files once they are added to Git; data outside of Git are not looked at (`dvc exp remove` makes a run new).

    Writes metrics/compare/<comparison>.md, .json and .png: the mean over seeds with its 95 % interval, best first.
    """
    with one_line_errors("compare"):
        from pipeline.base.errors import UserError
        from pipeline.experiments.changes import changed
        from pipeline.experiments.check import check_changes
        from pipeline.experiments.metrics import check_metric
        from pipeline.experiments.plan import plan_runs, read_comparison, setting_changes
        from pipeline.params.base import load_params
        from stages._experiments import runs as experiments
        from stages._experiments.dependencies import dependencies, read_stages
        from stages._experiments.git import tracked_files
        from stages._experiments.overrides import overrides

        comparison, params, tracked = read_comparison(file), load_params(), tracked_files()
        changes = setting_changes(comparison, params)
        settings = {name: changed(params, made) for name, made in changes.items()}
        check_changes(settings)
        check_metric(comparison.metric, comparison.scope, settings)
        stages = read_stages()
        runs = plan_runs(comparison, file.stem, params, lambda made: dependencies(stages, made).state(tracked))
        wanted = {run.name: overrides(run.changes, params) for run in runs}
        stored = experiments.finished()
        missing = [run for run in runs if run.name not in stored]
        click.echo(f"compare: {len(runs)} runs, {len(runs) - len(missing)} of them finished")
        if dry_run:
            for name, made in wanted.items():
                queued = shlex.join(["dvc", *experiments.queueing(name, made)])
                click.echo(f"{name}: finished" if name in stored else queued)
            return
        failures = {}
        if missing and not report_only:
            check_sources(missing, tracked)
            say_uncommitted(missing, stages)
            failures = run_missing({run.name: wanted[run.name] for run in missing}, jobs)
        values = read_all(runs, comparison.metric, comparison.scope)
        for name, why in failures.items():
            click.echo(f"compare: {name}: {why}", err=True)
        again = f"try again: python -m stages.compare {shlex.quote(str(file))}"
        if not values:
            raise UserError(f"no run is finished; {again}")
        write_report(file.stem, comparison, changes, values, failures)
        if failures:
            raise UserError(f"{len(failures)} of {len(runs)} runs failed, as said above; {again}")
        if len(values) < len(runs):
            click.echo(f"compare: {len(runs) - len(values)} runs are not finished")


def check_sources(runs: "list[PlannedRun]", tracked: Iterable[str]) -> None:
    """Refuse a dataset that queued runs would not see, since they run in folders of their own. `tracked`: files."""
    from pipeline.base.errors import UserError
    from stages._experiments.dependencies import files_at

    for source in dict.fromkeys(run.params["data"]["source"] for run in runs):
        if not Path(source).is_absolute() and not files_at([source], tracked):
            raise UserError(
                f"data.source: {source} is tracked by neither Git nor DVC, so that runs in other folders would not "
                f"see it; give its absolute path, {Path(source).resolve()}"
            )


def say_uncommitted(runs: "list[PlannedRun]", stages: "list[StageEntry]") -> None:
    """Name the files with changes that are not committed and that any of the runs reads."""
    from stages._experiments.dependencies import dependencies, files_at
    from stages._experiments.git import uncommitted_files

    paths = {path for run in runs for path in dependencies(stages, run.params).paths}
    files = files_at(paths, uncommitted_files())
    if files:
        click.echo(f"compare: the runs take along what is not committed: {', '.join(files)}")


def run_missing(missing: dict[str, list[str]], jobs: int) -> dict[str, str]:
    """Queue the runs (name -> overrides) and wait for them; name -> why it failed."""
    from pipeline.base.errors import UserError
    from stages._experiments.waiting import put_into_queue, wait_for

    try:
        put_into_queue(missing)
        return wait_for(missing, jobs, lambda line: click.echo(f"compare: {line}"))
    except KeyboardInterrupt:
        raise UserError(
            "interrupted; what runs goes on, and the same command takes up what is in the queue; "
            "`dvc queue stop --kill` ends the runs, `dvc queue remove --queued` empties the queue"
        ) from None


def read_all(runs: "list[PlannedRun]", metric: str, scope: str) -> dict[tuple[str, int], dict[str, float]]:
    """(setting, seed) -> model -> value, of the runs that are finished."""
    from pipeline.experiments.summary import read_values
    from stages._experiments import runs as experiments

    stored = experiments.finished()
    return {
        (run.setting, run.seed): read_values(experiments.read_result(stored[run.name]), metric, scope, run.name)
        for run in runs
        if run.name in stored
    }


def write_report(
    name: str,
    comparison: "Comparison",
    changes: dict[str, dict[str, Any]],
    values: dict[tuple[str, int], dict[str, float]],
    failures: dict[str, str],
) -> None:
    """The table, on stdout too, the figures and the picture. `changes`: of every setting, name of a param -> value."""
    from pipeline.base.names import METRICS_FOLDER
    from pipeline.base.reports import write_text
    from pipeline.experiments.figure import settings_figure
    from pipeline.experiments.summary import summarize
    from pipeline.experiments.table import settings_json, settings_table

    results = summarize(comparison.settings, values)
    out = METRICS_FOLDER / FOLDER
    title = {"metric": comparison.metric, "scope": comparison.scope}
    table = settings_table(results, **title)
    write_text(out / f"{name}.json", settings_json(results, changes, failures, **title))
    settings_figure(results, out / f"{name}.png", **title)
    write_text(out / f"{name}.md", table)
    click.echo(f"compare: {out / name}.md\n\n{table}")


if __name__ == "__main__":
    main()
