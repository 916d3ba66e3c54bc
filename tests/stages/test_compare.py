"""The command compare with DVC itself, in a repository whose only stage takes a moment.

Its params.yaml is the committed one with a section `recipes.stand_in`, all that this stage looks at beside the seed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.chain import ONE_THREAD, Outcome
from support.project import PROJECT, default_params

from pipeline.experiments.changes import changed
from stages._experiments.queue import Queue, open_repo
from stages.compare import main

WAIT = 120  # seconds that a busy machine may need to start a run

# The stage tells when it starts, by a line in a file that all runs share.
STAGE = """
import json, os, sys, time
from pathlib import Path
from ruamel.yaml import YAML

params = YAML(typ="safe").load(Path("params.yaml").read_text())
seed, own = params["seed"], params["recipes"]["stand_in"]
with open(own["log"], "a") as log:
    log.write(f"{seed} {own['level']} {os.getpgrp()}\\n")
time.sleep(own["seconds"])
if own["needs"] and not Path(own["needs"]).exists():
    sys.exit(print(f"evaluate: error: {own['needs']} is missing", file=sys.stderr) or 2)
value = seed / 100 + own["level"]
models = {"baseline": value, "control": value, "adapted": value + 0.25}
Path("metrics").mkdir(exist_ok=True)
Path("metrics/evaluate.json").write_text(
    json.dumps({model: {"all": {"map_trapezoidal": value}} for model, value in models.items()})
)
"""
DVC_FILE = """
stages:
  evaluate:
    cmd: python stage.py
    params: [seed, recipes.stand_in]
    deps: ['${data.source}']
    metrics: [metrics/evaluate.json: {cache: false}]
"""
OWN = "recipes.stand_in"
RENAME = "pipeline/datasets/table/params.yaml:rename"
STAND_IN = {"level": 0.5, "needs": None, "seconds": 0}


class Repo:
    """A repository with that stage, and the comparison `mine.yaml` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder.parent / "log"
        self.env = os.environ | ONE_THREAD | {"PYTHONPATH": str(PROJECT)}
        # A commit needs somebody's name where Git has none.
        self.env |= {
            f"GIT_{who}_{what}": "t@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        folder.mkdir()
        for file in ("pipeline/datasets/atelier/params.yaml", RENAME.partition(":")[0]):
            (folder / file).parent.mkdir(parents=True)
            shutil.copyfile(PROJECT / file, folder / file)
        self.write("stage.py", STAGE)
        self.write("dvc.yaml", DVC_FILE)
        self.params = default_params()
        self.change({"seed": 7, "data.source": "stage.py", OWN: STAND_IN | {"log": str(self.log)}})
        self.run("git", "init", "--quiet")
        self.run(sys.executable, "-m", "dvc", "init", "--quiet")
        self.commit()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def change(self, changes: dict) -> None:
        """Set params, full name -> value, in params.yaml."""
        self.params = changed(self.params, changes)
        self.write("params.yaml", json.dumps(self.params))

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "as it is")

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "stages.compare", "mine.yaml", *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=self.folder, env=self.env, text=True, **pipes)

    def compare(self, *options: str) -> Outcome:
        return Outcome.of(self.start(*options))

    def look(self) -> Outcome:
        """What a dry run says; in this process, which is faster."""
        with chdir(self.folder):
            done = CliRunner().invoke(main, ["mine.yaml", "--dry-run"], prog_name="compare")
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    def started(self) -> list[str]:
        """Seed and level of every run that was started, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.rpartition(" ")[0] for line in lines]

    @contextmanager
    def killed_when_started(self, runs: int) -> Iterator[None]:
        """A comparison that is killed when so many runs were started."""
        with self.start() as process:
            deadline = time.monotonic() + WAIT
            while len(self.started()) < runs:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.kill()
            yield

    def kill_worker(self) -> None:
        """Kill the worker of the run that was started last, and the run, as a machine does that goes down."""
        os.killpg(int(self.log.read_text().split()[-1]), signal.SIGKILL)

    def results(self) -> dict:
        return json.loads((self.folder / "metrics/compare/mine.json").read_text())


@pytest.fixture
def repo(tmp_path) -> Iterator[Repo]:
    made = Repo(tmp_path / "repo")
    yield made
    with suppress(AssertionError):
        made.run(sys.executable, "-m", "dvc", "queue", "stop", "--kill")


def test_a_failing_setting_is_reported_and_finished_runs_are_not_repeated(repo, tmp_path):
    needed = tmp_path / "it's there"
    repo.write("mine.yaml", f'seeds: [1]\nsettings: {{good: {{{OWN}.level: 0.1}}, bad: {{{OWN}.needs: "{needed}"}}}}')
    repo.commit()
    repo.run(
        sys.executable, "-m", "dvc", "exp", "run", "--queue", "--name", "theirs", "--set-param", f"{OWN}.level=0.9"
    )
    # Git sees the first change, and DVC takes it along; the second is none to it.
    repo.write("stage.py", STAGE + "# edited\n")
    repo.write("untracked.txt", "")

    first = repo.compare()
    assert first.code == 2
    assert "the runs take along what is not committed: stage.py\n" in first.stdout
    assert "is missing\ncompare: error: 1 of 2 runs failed" in first.stderr
    assert first.stderr.count("\n") == 2
    assert first.stderr.startswith("compare: mine-bad-1-")
    assert f": evaluate: error: {needed} is missing\n" in first.stderr
    assert first.stderr.endswith("; try again: python -m stages.compare mine.yaml\n")
    assert "| good    | 0.1100 ± n/a | 0.1100 ± n/a | 0.3600 ± n/a |" in first.stdout
    assert "| bad     |          n/a |" in first.stdout
    found = repo.results()
    assert found["settings"]["good"]["adapted"] == {"mean": 0.36, "low": None, "high": None, "seeds": {"1": 0.36}}
    assert found["settings"]["bad"] == {"params": {f"{OWN}.needs": str(needed)}}
    assert repo.started()[0] == "7 0.9", "what was in the queue before is run too"
    assert sorted(repo.started()[1:]) == ["1 0.1", "1 0.5"]
    assert repo.run("git", "status", "--porcelain", "stage.py") == " M stage.py\n", "the workspace is left alone"

    # What it needed is there: only that run is repeated. Neither a commit nor the table in it changes what is finished.
    needed.touch()
    (repo.folder / "untracked.txt").unlink()
    repo.commit()
    second = repo.compare()
    assert second.stdout.startswith("compare: 2 runs, 1 of them finished\n")
    assert second.code == 0, second.stderr
    assert repo.started()[3:] == ["1 0.5"]
    assert list(repo.results()["settings"]) == ["bad", "good"], "the best comes first"
    names = ("mine.md", "mine.json", "mine.png")
    made = {name: (repo.folder / "metrics/compare" / name).read_bytes() for name in names}

    # What the stage does not read may change.
    repo.write("README.md", "edited")
    repo.run("git", "add", "README.md")
    repo.change({"recipes.dada.adversarial_weight": 0.125, "runtime.workers": 0})
    third = repo.compare()
    assert third.code == 0
    assert third.stdout.startswith("compare: 2 runs, 2 of them finished\n")
    assert len(repo.started()) == 4
    assert {name: (repo.folder / "metrics/compare" / name).read_bytes() for name in names} == made

    # Another seed, and only a look at what there is; then other code, of which there is nothing.
    repo.write("mine.yaml", repo.text("mine.yaml").replace("[1]", "[1, 2]"))
    look = repo.compare("--report-only")
    assert look.code == 0, look.stderr
    assert look.stdout.endswith("compare: 2 runs are not finished\n")
    dry = repo.compare("--dry-run").stdout.splitlines()
    assert [line.endswith(": finished") for line in dry[1:]] == [True, True, False, False]
    assert dry[3].startswith("dvc exp run --queue --name mine-good-2-")
    assert dry[3].endswith(f" -S seed=2 -S {OWN}.level=0.1")
    repo.write("stage.py", STAGE + "# edited again\n")
    repo.compare("--report-only").check_message("compare", "no run is finished")
    assert len(repo.started()) == 4


def test_a_killed_comparison_goes_on(repo):
    repo.write("mine.yaml", f"seeds: [1, 2]\nsettings: {{slow: {{{OWN}.seconds: 2}}}}")
    # The command alone dies: its runs go on.
    with repo.killed_when_started(1):
        pass
    # Then the machine does: the run is repeated.
    with repo.killed_when_started(2):
        repo.kill_worker()
    last = repo.compare()
    assert last.code == 0, last.stderr
    assert repo.started() == ["1 0.5", "2 0.5", "2 0.5"]
    assert repo.results()["settings"]["slow"]["baseline"]["seeds"] == {"1": 0.51, "2": 0.52}


def test_mistakes_are_refused_before_anything_is_queued(repo):
    for text, says in (
        (
            f"seeds: [1]\nsettings: {{a: {{{OWN}.levl: 1}}}}",
            [f"settings.a: params.yaml has no {OWN}.levl; did you mean {OWN}.level?"],
        ),
        ("seeds: [1]\nsettings: {a: {finetune.epochs: many}}", ["settings.a: finetune.epochs: "]),
        (
            f"seeds: [1]\nsettings: {{a: {{{OWN}.needs: '${{x}}'}}}}",
            ["needs: DVC cannot set '${x}'; write it into params.yaml"],
        ),
        ("seeds: 1", ["mine.seeds: "]),
        ("seeds: [1]\nmetric: mapp\nsettings: {a: {}}", ["metric: settings.a has no 'mapp'", "did you mean 'map'?"]),
        (
            f"seeds: [1]\nsettings: {{a: {{{RENAME}: {{'0': item, their: category}}}}}}",
            [f"{RENAME}: DVC cannot set {{'0': 'item', 'their': 'category'}}; write it into pipeline/datasets/table"],
        ),
        (
            f"seeds: [1]\nsettings: {{a: {{data.sets: [table], {RENAME}: {{0: item, their: category}}}}}}",
            [f"settings.a: {RENAME}.0"],
        ),
    ):
        repo.write("mine.yaml", text)
        repo.look().check_message("compare", *says)
    repo.write("mine.yaml", "seeds: [1]\nsettings: {a: {data.source: photos}}")
    repo.compare().check_message("compare", "photos is tracked by neither", "absolute")
    for name in ("params.yaml", "mine.yaml"):
        (repo.folder / name).write_bytes(b"seed: \xe9")
        repo.look().check_message("compare", f"{name}: not text in UTF-8; save it as UTF-8")
    assert "No experiment tasks in the queue" in repo.run(sys.executable, "-m", "dvc", "queue", "status")


def test_odd_params_are_said_as_dvc_takes_them(repo):
    # No mapping yet where its keys are the user's own; keys of several kinds, which no run reads.
    repo.change({"data.alignment": None, "recipes.unused": None})
    repo.write(
        "params.yaml", repo.text("params.yaml").replace('"unused": null', '"unused": {0: item, their: category}')
    )
    repo.write("mine.yaml", f"seeds: [1]\nsettings: {{a: {{data.alignment.tops: [x], {RENAME}: {{0: item}}}}}}")
    found = repo.look()
    assert found.code == 0, found.stderr
    mapping = f" -S '{RENAME.replace(':', ':~')}' -S '{RENAME.replace(':', ':+')}={{0:item}}'"
    assert found.stdout.endswith(f" -S seed=1 -S '+data.alignment.tops=[x]'{mapping}\n")


def test_an_interrupt_waits_while_dvc_has_the_users_changes(repo, monkeypatch):
    done = []

    def interrupted(tasks, **arguments) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        done.append(arguments)

    monkeypatch.chdir(repo.folder)
    with open_repo() as dvc:
        monkeypatch.setattr(dvc.experiments, "queue_one", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Queue(dvc).put("name", ["level=1", "set.yaml:level=2"])
    assert done == [{"name": "name", "params": {"params.yaml": ["level=1"], "set.yaml": ["level=2"]}}]


def test_outside_of_a_repository(tmp_path):
    (tmp_path / "mine.yaml").write_text("seeds: [1]\nsettings: {a: {}}")
    (tmp_path / "params.yaml").write_text("seed: 1")
    command = [sys.executable, "-m", "stages.compare", "mine.yaml"]
    env = os.environ | {"PYTHONPATH": str(PROJECT), "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    Outcome(done.returncode, done.stdout, done.stderr).check_message("compare", "`git stash` failed: fatal: not a git")
