"""Experiments of DVC, by its command line: what there is, the queue, and what came out."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from pipeline.base.errors import UserError
from stages._experiments.git import git
from stages._experiments.programs import ProgramError, environment, last_line, output

RESULT = "metrics/evaluate.json"
DVC = (sys.executable, "-m", "dvc")
BUSY = "is busy, it is being blocked by"  # DVC, of an experiment that is being stored at this moment
BUSY_SECONDS = 40
KILLS = 20  # attempts to end a task, a second each

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
            f"`dvc queue status` says something unknown ({last_line(said)}); is DVC the one of this project?"
        )
    return Queue([Task(*found) for found in TASK.findall(said)], *map(int, workers.groups()))


def queueing(name: str, overrides: Sequence[str]) -> list[str]:
    """DVC's arguments that put an experiment into the queue."""
    return ["exp", "run", "--queue", "--name", name, *(part for text in overrides for part in ("-S", text))]


def enqueue(name: str, overrides: Sequence[str]) -> None:
    """Put an experiment into the queue; tracked files go along as they lie in the working tree."""
    with _uninterrupted():
        dvc(*queueing(name, overrides))


def forget(task: Task) -> None:
    """Take a task out of the queue that is done, or that says to run while no worker is at it."""
    # Killing ends a process that is still there; only once there is none does the task count as done.
    for _ in range(KILLS):
        if (task.rev, RUNNING) not in [(found.rev, found.status) for found in queue().tasks]:
            break
        dvc("queue", "kill", task.rev)
    dvc("queue", "remove", task.rev)


def start_workers(jobs: int) -> None:
    """Have up to `jobs` workers; they take all that is queued and stop by themselves afterwards."""
    # In a session of their own too, and without our pipes: they outlive this process and its terminal.
    command = [*DVC, "queue", "start", "--jobs", str(jobs), "--quiet"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if subprocess.run(command, env=environment(), start_new_session=True, check=False, **quiet).returncode:
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
    return last_line(log)


def dvc(*arguments: str) -> str:
    """What DVC prints; waits where another DVC is at work. Raises UserError with its last line when it fails."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return output([*DVC, "--wait-for-lock", *arguments], f"dvc {' '.join(arguments[:2])}")
        except ProgramError as error:
            if BUSY not in error.said or time.monotonic() > until:
                raise
        time.sleep(1)


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
