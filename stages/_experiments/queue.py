"""Experiments of DVC, by its Python API: which are stored, what they measured, and the queue in which others run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.base.errors import UserError
from pipeline.base.names import QUERIES_FILE

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.repo.experiments.queue.base import QueueEntry

RESULT, CATEGORIES = "metrics/evaluate.json", "metrics/categories.json"
BUSY_SECONDS = 40  # in which another DVC may be at work
CALLS = 3  # to the workers, a second each; one may answer too late


@contextmanager
def open_repo() -> Iterator["Repo"]:
    """DVC's project here. Inside, what DVC or Git finds wrong becomes a UserError."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from scmrepo.exceptions import SCMError

    # DVC starts itself by its name.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        with Repo(_wait_for_lock=True) as repo:
            yield repo
    except (DvcException, SCMError) as error:
        raise UserError(f"DVC: {' '.join(str(error).split())}") from None


class Queue:
    """The experiments of a project: those that are stored, and those in its queue."""

    def __init__(self, repo: "Repo") -> None:
        self.repo, self.tasks = repo, repo.experiments.celery_queue

    def stored(self) -> dict[str, str]:
        """Name -> commit of all that have run, whichever commit they started from."""
        from dvc.repo.experiments.utils import exp_refs

        return {ref.name: self.repo.scm.get_ref(str(ref)) for ref in exp_refs(self.repo.scm)}

    def result(self, commit: str, file: str = RESULT) -> dict[str, Any]:
        """The content of evaluate.json, or of another JSON file, of an experiment."""
        # Not by `dvc.api.exp_show` or `metrics_show`: there 0.0 and null become None, or nothing.
        import dvc.api

        return json.loads(dvc.api.read(file, repo=self.repo.root_dir, rev=commit))

    def queries(self, commit: str) -> BytesIO:
        """The file of single queries of an experiment, from DVC's cache or remote; nothing is checked out.

        Raises UserError when it is in neither.
        """
        import dvc.api
        from dvc.exceptions import FileMissingError, PathMissingError

        try:
            return BytesIO(dvc.api.read(QUERIES_FILE.as_posix(), repo=self.repo.root_dir, rev=commit, mode="rb"))
        except (FileMissingError, PathMissingError):
            name = next((name for name, stored in self.stored().items() if stored == commit), commit)
            raise UserError(
                f"{name}: DVC no longer has its {QUERIES_FILE}; `dvc exp remove {name}` lets it run again"
            ) from None

    def under_way(self) -> dict[str, "QueueEntry"]:
        """Name -> entry of all that wait or run, or seem to since nobody has noted the death of their worker."""
        return {entry.name: entry for entry in (*self.tasks.iter_queued(), *self.tasks.iter_active())}

    def works(self) -> bool:
        """Whether a worker answers, or what it runs lives: on a busy machine its answers come too late."""
        if any(self._process_lives(entry) for entry in self.tasks.iter_active()):
            return True
        return any(self.tasks.worker_status() for _ in range(CALLS))

    def lost(self) -> list["QueueEntry"]:
        """Entries that seem to run, while neither their process is there nor a worker answers."""
        entries = [entry for entry in self.tasks.iter_active() if not self._process_lives(entry)]
        return [] if not entries or self.works() else entries

    def bury(self, entry: "QueueEntry") -> None:
        """Have DVC count a lost entry as failed."""
        # DVC would send a signal to whatever has the number of the process now, unless it knows that it has ended.
        if process := self.tasks.proc.get(entry.stash_rev):
            process.returncode = -signal.SIGKILL
            self.tasks.proc[entry.stash_rev] = process
        self.tasks.kill([entry.stash_rev])

    def put(self, name: str, overrides: Sequence[str]) -> "QueueEntry":
        """Put an experiment into the queue; tracked files go along as they lie in the working tree."""
        from dvc.lock import LockError
        from dvc.repo import lock_repo
        from dvc.utils.cli_parse import to_path_overrides

        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with _uninterrupted(), lock_repo(self.repo):
                    return self.repo.experiments.queue_one(self.tasks, name=name, params=to_path_overrides(overrides))
            except LockError:
                if time.monotonic() > until:
                    raise
            time.sleep(1)

    def start(self, jobs: int) -> None:
        """Have up to `jobs` workers; they take all that is queued and stop by themselves afterwards."""
        # In a session of their own and without our pipes: they outlive this process and its terminal.
        command = [sys.executable, "-m", "dvc", "queue", "start", "--jobs", str(jobs), "--quiet"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run(command, start_new_session=True, check=False, **quiet).returncode:
            raise UserError("`dvc queue start` failed; run it to see why")

    def why(self, entry: "QueueEntry") -> str:
        """Why an entry has failed: the last line in which a stage says so, else DVC."""
        process = self.tasks.proc.get(entry.stash_rev)
        lines = Path(process.stdout).read_text(errors="replace").splitlines() if process else []
        of_stages = [line for line in lines if line.partition(": error: ")[0].isidentifier()]
        of_dvc = [line for line in lines if line.startswith("ERROR: ")]
        return (of_stages or of_dvc or [f"left no result; see `dvc queue logs {entry.name}`"])[-1]

    def _process_lives(self, entry: "QueueEntry") -> bool:
        import psutil

        process = self.tasks.proc.get(entry.stash_rev)
        try:
            # Another one may have got its number since.
            return bool(process) and entry.stash_rev in " ".join(psutil.Process(process.pid).cmdline())
        except psutil.Error:
            return False


def queueing(name: str, overrides: Sequence[str]) -> list[str]:
    """The command that does what `put` does."""
    return ["dvc", "exp", "run", "--queue", "--name", name, *(part for text in overrides for part in ("-S", text))]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    # For a moment DVC has the user's changes in a stash, where an interrupt would leave them: it waits till afterwards.
    interrupts: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupts:
        raise KeyboardInterrupt
