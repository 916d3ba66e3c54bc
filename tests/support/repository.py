"""A repository of Git and DVC around a finished chain."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.base.names import Part
from support.chain import ONE_THREAD, STAGES, Chain
from support.project import PROJECT

# As DVC names them, for the built-in world.
EVERYTHING = {*STAGES, "download@atelier", *(f"{stage}@{part}" for stage in ("extract", "draw") for part in Part)}
EVERYTHING -= {"download", "extract", "draw"}


class Repo:
    """A Git repository with the project's files and the finished `chain` in it, committed to Git and DVC."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.folder = chain, chain.folder
        # Nothing of the original may be imported, and `python` must be the one of these tests.
        self.env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ONE_THREAD
        self.env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        for name in self.git("ls-files", "-co", "--exclude-standard", cwd=PROJECT).splitlines():
            # dvc.lock and metrics/ are made anew, params are the chain's; a file may be deleted but tracked.
            ours = not name.startswith(("tests/", "metrics/")) and Path(name).name not in ("dvc.lock", "params.yaml")
            if ours and (PROJECT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(PROJECT / name, self.folder / name)
        chain.succeed("check")
        self.git("init", "--quiet")
        self.git("config", "user.name", "tester")
        self.git("config", "user.email", "tester@localhost")
        self.dvc("commit", "--force", "--quiet")
        self.commit()

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        return self._run(["git", *arguments], cwd)

    def dvc(self, *arguments: str) -> str:
        return self._run([sys.executable, "-m", "dvc", *arguments])

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen]:
        """dvc at work; in the end it and its stage are killed."""
        command = [sys.executable, "-m", "dvc", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(
            command, cwd=self.folder, env=self.env, text=True, start_new_session=True, **pipes
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "as it is")

    def repro(self, *arguments: str) -> set[str]:
        """`dvc repro`; gives the stages that ran."""
        return ran(self.dvc("repro", *arguments))

    def changed(self) -> set[str]:
        """Stages that DVC would run, those behind them and `check` not included."""
        return set(json.loads(self.dvc("status", "--json"))) - {"check"}

    def append(self, path: str, text: str) -> None:
        with open(self.folder / path, "a", encoding="utf-8") as file:
            file.write(text)

    def _run(self, command: list[str], cwd: Path | None = None) -> str:
        cwd = cwd or self.folder
        done = subprocess.run(command, cwd=cwd, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def ran(said: str) -> set[str]:
    """Stages that `dvc repro` or `dvc exp run` says it ran; `check`, which any param of the chain runs, aside."""
    return set(re.findall(r"^Running stage '(.+)':", said, re.MULTILINE)) - {"check"}
