"""Experiments of DVC, by the command lines of Git and DVC: what there is, the queue, and what came out."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from pipeline.errors import UserError

RESULT = "metrics/evaluate.json"
# Tracked files that no stage reads, and params.yaml.
UNREAD_FOLDERS, UNREAD_FILES, UNREAD_SUFFIX = ("docs", "metrics", "tests"), ("dvc.lock", "params.yaml"), ".md"
# `stash create` wants to know who is at work, though its commit is never seen.
GIT = ("git", "-c", "core.quotePath=off", "-c", "user.name=compare", "-c", "user.email=compare@localhost")
BUSY = "is busy, it is being blocked by"  # DVC, of an experiment that is being stored at this moment
ATTEMPTS = 20  # a second each

RUNNING, QUEUED, FAILED, SUCCESS = "Running", "Queued", "Failed", "Success"
TASK = re.compile(rf"^([0-9a-f]+) +(\S+) .*\b({RUNNING}|{QUEUED}|{FAILED}|{SUCCESS})$", re.MULTILINE)
WORKERS = re.compile(r"^Worker status: (\d+) active, (\d+) idle$", re.MULTILINE)
STAGE_ERROR = re.compile(r"^\w+: error: .+$", re.MULTILINE)
DVC_ERROR = re.compile(r"^ERROR: .+$", re.MULTILINE)


class Task(NamedTuple):
    """An entry of DVC's queue, done ones included; `rev` is what DVC calls it by beside its name."""

    rev: str
    name: str
    status: str


class Queue(NamedTuple):
    """The queue, and how many workers are at a task and wait for one."""

    tasks: list[Task]
    active: int
    idle: int


def code_state(comparison: Path) -> str:
    """A digest of all tracked files that stages may read, as they lie in the working tree.

    Neither params.yaml is among them nor the file `comparison`: what these say is looked at by itself.
    """
    # A commit of the working tree that no reference points to; none when nothing has changed.
    commit = git("stash", "create").strip() or "HEAD"
    entries = [line.split("\t") for line in git("ls-tree", "-r", commit).splitlines()]
    read = [f"{blob} {path}" for blob, path in entries if _is_read(path, comparison)]
    return hashlib.sha256("\n".join(read).encode()).hexdigest()


def uncommitted(comparison: Path) -> list[str]:
    """Tracked files with changes that are not committed, as far as `code_state` looks at them."""
    return [
        path for path in git("diff", "--name-only", "--relative", "HEAD").splitlines() if _is_read(path, comparison)
    ]


def is_tracked(path: str) -> bool:
    """Whether Git tracks something at `path`, or DVC it or a folder that it is in, by a .dvc file."""
    place = PurePosixPath(path)
    by_dvc = {f"{folder}.dvc" for folder in (place, *place.parents)}
    tracked = git("ls-files").splitlines()
    return any(found in by_dvc or PurePosixPath(found).is_relative_to(place) for found in tracked)


def finished() -> dict[str, str]:
    """Name -> commit of all experiments that DVC has stored, whichever commit they started from."""
    lines = git("for-each-ref", "--format=%(refname) %(objectname)", "refs/exps/??/*/*").splitlines()
    return {name.rsplit("/", 1)[1]: commit for name, commit in map(str.split, lines)}


def read_result(commit: str) -> dict[str, Any]:
    """evaluate.json of an experiment. Raises UserError when it is not there."""
    return json.loads(git("show", f"{commit}:./{RESULT}"))


def queue() -> Queue:
    """What DVC's queue holds now."""
    said = dvc("queue", "status")
    workers = WORKERS.search(said)
    if not workers:
        raise UserError(
            f"`dvc queue status` says something unknown ({_last_line(said)}); is DVC the one of this project?"
        )
    return Queue([Task(*found) for found in TASK.findall(said)], *map(int, workers.groups()))


def enqueue(name: str, overrides: Sequence[str]) -> None:
    """Put an experiment into the queue; tracked files go along as they lie in the working tree."""
    with _uninterrupted():
        dvc("exp", "run", "--queue", "--name", name, *(part for text in overrides for part in ("--set-param", text)))


def forget(task: Task) -> None:
    """Take a task out of the queue that is done, or that says to run while no worker is at it."""
    # Killing ends a process that is still there; only once there is none does the task count as done.
    for _ in range(ATTEMPTS):
        if (task.rev, RUNNING) not in [(found.rev, found.status) for found in queue().tasks]:
            break
        dvc("queue", "kill", task.rev)
    dvc("queue", "remove", task.rev)


def start_workers(jobs: int) -> None:
    """Have up to `jobs` workers; they take all that is queued and stop by themselves afterwards."""
    # In a session of their own too, and without our pipes: they outlive this process and its terminal.
    command = [sys.executable, "-m", "dvc", "queue", "start", "--jobs", str(jobs), "--quiet"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(command, env=_environment(), start_new_session=True, check=False, **quiet).returncode:
        raise UserError("`dvc queue start` failed; run it to see why")


def failure(task: Task) -> str:
    """The line in which a failed task says why: its stage's own error if there is one."""
    try:
        log = dvc("queue", "logs", task.rev)
    except UserError as error:
        return str(error)
    for pattern in (STAGE_ERROR, DVC_ERROR):
        lines = pattern.findall(log)
        if lines:
            return lines[-1]
    return _last_line(log)


def git(*arguments: str) -> str:
    """What Git prints. Raises UserError with its last line when it fails."""
    return _output([*GIT, *arguments], f"git {arguments[0]}")


def dvc(*arguments: str) -> str:
    """What DVC prints; waits where another DVC is at work. Raises UserError with its last line when it fails."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]
    for _ in range(ATTEMPTS):
        try:
            return _output(command, f"dvc {' '.join(arguments[:2])}")
        except UserError as error:
            if BUSY not in str(error):
                raise
            last = error
            time.sleep(1)
    raise last


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


def _output(command: list[str], what: str) -> str:
    try:
        # In a session of its own, where an interrupt from the terminal does not reach it.
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, check=False, start_new_session=True
        )
    except FileNotFoundError:
        raise UserError(f"there is no program {command[0]}; install it") from None
    if done.returncode:
        blocked = BUSY if BUSY in done.stderr else _last_line(done.stderr)
        raise UserError(f"`{what}` failed: {blocked}")
    return done.stdout


def _environment() -> dict[str, str]:
    # Workers and stages are started by the names dvc and python: those of this environment.
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def _is_read(path: str, comparison: Path) -> bool:
    place, unread = PurePosixPath(path), (*UNREAD_FILES, os.path.relpath(comparison))
    return not (place.parts[0] in UNREAD_FOLDERS or path in unread or place.suffix == UNREAD_SUFFIX)


def _last_line(text: str) -> str:
    # DVC adds a hint on where to ask for help.
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Having any troubles")]
    errors = [line for line in lines if line.lower().startswith(("error:", "fatal:"))]
    return (errors or lines or ["it says nothing"])[-1]
