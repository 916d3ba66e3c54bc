"""A chain that is over in seconds: its params, and the stages run in this process or in one of their own."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from ruamel.yaml import YAML

from support.project import PROJECT, default_params

STAGES = ("download", "prepare", "finetune", "extract", "draw", "cluster", "weight", "adapt", "index", "evaluate")

# The smallest world that has every category of both shops twice.
TINY = {
    "pipeline/datasets/atelier/params.yaml:source_items": 42,
    "pipeline/datasets/atelier/params.yaml:target_train_items": 16,
    "pipeline/datasets/atelier/params.yaml:target_test_items": 24,
    "pipeline/datasets/atelier/params.yaml:image_size": 40,
    "finetune.epochs": 2,
    "finetune.model.image_size": 32,
    "finetune.model.embedding_dim": 16,
    "finetune.augment.resize": 36,
    "finetune.optim.lr": 0.003,
    "recipes.triplet.batch_items": 8,
    "views.number": 2,
    "views.items": 20,
    "views.photos": 4,
    "cluster.partition": 9,  # the coarsest, so that there are links
    "adapt.models": ["udma_control", "udma", "control", "linked", "viewed"],
    "adapt.width": 16,
    "adapt.folds": 2,
    "adapt.steps": 20,
    "adapt.lr": 0.001,
    "adapt.items": 4,
    "index.models": ["baseline", "udma", "viewed"],
    "evaluate.bootstrap": 20,
    "evaluate.sheets": 1,
    "runtime.device": "cpu",
    "runtime.workers": 0,
    "runtime.batch_size": 32,
    "runtime.chunk_rows": 32,
    "runtime.checkpoint_seconds": 0,
    "runtime.cache": None,  # a test that spoils pictures wants them to be read
}

# Two test processes share two cores: threads of torch would mostly wait for each other.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def _without_times(file: Path) -> bytes:
    """The content of a file, but for the milliseconds that an index took, which no run takes again."""
    content = file.read_bytes()
    return re.sub(rb'"ms_per_query": [0-9.]+', b"", content) if file.name == "index.json" else content


@dataclass(frozen=True)
class Outcome:
    """How a stage ended."""

    code: int
    stdout: str
    stderr: str

    @classmethod
    def of(cls, running: subprocess.Popen) -> "Outcome":
        """That of a started stage, when it is over."""
        stdout, stderr = running.communicate()
        return cls(running.returncode, stdout, stderr)

    def check_message(self, stage: str, *says: str) -> None:
        """It must be a user error: exit code 2 and one line of `stage` that says all that."""
        assert self.code == 2, self
        assert self.stderr.count("\n") == 1, self.stderr
        assert self.stderr.startswith(f"{stage}: error: ")
        for text in says:
            assert text in self.stderr


class Chain:
    """A folder in which stages run: its params.yaml and those of all sets, and what the stages leave there."""

    def __init__(self, folder: Path, changes: Mapping[str, Any] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for file in (PROJECT / "pipeline/datasets").glob("*/params.yaml"):
            copy = folder / file.relative_to(PROJECT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        self.params = default_params()
        self.change(TINY | dict(changes or {}))

    def change(self, changes: Mapping[str, Any]) -> "Chain":
        """Set params, `section.key` or `file:key` -> value, and write their files."""
        files = {"params.yaml": self.params}
        for name, value in changes.items():
            file, colon, path = name.rpartition(":")
            file = file if colon else "params.yaml"
            place = files.setdefault(file, None) or YAML(typ="safe").load((self.folder / file).read_text())
            files[file] = place
            *sections, key = path.split(".")
            for section in sections:
                place = place.setdefault(section, {})
            place[key] = value
        for file, content in files.items():
            with open(self.folder / file, "w", encoding="utf-8") as out:
                YAML().dump(content, out)
        return self

    def copy(self, folder: Path, changes: Mapping[str, Any] | None = None) -> "Chain":
        """A copy to spoil."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        made = Chain.__new__(Chain)
        made.folder, made.params = folder, YAML(typ="safe").load((folder / "params.yaml").read_text())
        return made.change(changes or {})

    def run(self, stage: str, *options: str) -> Outcome:
        """Run a stage in this process."""
        with chdir(self.folder):
            done = CliRunner().invoke(import_module(f"stages.{stage}").main, options, prog_name=stage)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    def succeed(self, *stages: str) -> str:
        """Run stages that must not fail; gives what the last one said."""
        for stage in stages:
            done = self.run(*stage.split())
            assert done.code == 0, done.stderr
        return done.stdout

    def fails(self, stage: str, *says: str) -> None:
        """Run a stage that must end in one line saying all that, and leave what was there before."""
        name, *options = stage.split()
        before = self.outputs()
        self.run(name, *options).check_message(name, *says)
        assert self.outputs() == before

    def start(self, stage: str, *options: str, within: Sequence[str] = ()) -> subprocess.Popen:
        """Start a stage as DVC does, in a process of its own, if need be by the command `within`."""
        return subprocess.Popen(
            [*within, sys.executable, "-m", f"stages.{stage}", *options],
            cwd=self.folder,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def outputs(self) -> dict[str, str]:
        """File -> digest of all outputs, whole or half-written."""
        return {path: digest for path, digest in self.digests().items() if not path.startswith("data/.partial/")}

    def digests(self, *folders: str) -> dict[str, str]:
        """File -> digest of everything that is there (work in progress included) below `folders`."""
        files = [file for name in folders or ("data", "metrics") for file in (self.folder / name).rglob("*")]
        return {
            file.relative_to(self.folder).as_posix(): hashlib.sha256(_without_times(file)).hexdigest()
            for file in sorted(files)
            if file.is_file() and not file.name.endswith("lock")
        }
