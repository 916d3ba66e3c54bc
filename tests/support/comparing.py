"""A repository whose only stage takes a moment, for comparisons with DVC itself.

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
from contextlib import chdir, contextmanager
from pathlib import Path

from click.testing import CliRunner

from pipeline.experiments.changes import changed
from stages.compare import main
from support.chain import ONE_THREAD, Outcome
from support.project import PROJECT, default_params

WAIT = 120  # seconds that a busy machine may need to start a run

# The stage tells when it starts, by a line in a file that all runs share.
STAGE = """
import json, os, sys, time
from pathlib import Path
import pandas as pd
from ruamel.yaml import YAML

params = YAML(typ="safe").load(Path("params.yaml").read_text())
seed, own = params["seed"], params["recipes"]["stand_in"]
with open(own["log"], "a") as log:
    log.write(f"{seed} {own['level']} {os.getpgrp()}\\n")
time.sleep(own["seconds"])
if own["needs"] and not Path(own["needs"]).exists():
    sys.exit(print(f"evaluate: error: {own['needs']} is missing", file=sys.stderr) or 2)
value = seed / 100 + own["level"]
models = {"baseline": value, "control": value, "linked": value + 0.25}
for folder in ("data", "metrics"):
    Path(folder).mkdir(exist_ok=True)
Path("metrics/evaluate.json").write_text(
    json.dumps({model: {"all": {"map_trapezoidal": value, "nmi": value}} for model, value in models.items()})
)
queries = [
    {"model": model, "query": query, "digest": own["world"] or str(seed), "group": "all", "label": item,
     "aligned": False, "map_trapezoidal": value + off}
    for model, value in models.items() for query, (item, off) in enumerate([("a", -0.1), ("b", 0.1)])
]
pd.DataFrame(queries).to_parquet("data/queries.parquet")
"""
DVC_FILE = """
stages:
  evaluate:
    cmd: python stage.py
    params: [seed, recipes.stand_in]
    deps: ['${data.source}']
    outs: [data/queries.parquet]
    metrics: [metrics/evaluate.json: {cache: false}]
"""
OWN = "recipes.stand_in"
RENAME = "pipeline/datasets/table/params.yaml:rename"
STAND_IN = {"level": 0.5, "needs": None, "seconds": 0, "world": None}  # the same for all seeds, or its own for each


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
