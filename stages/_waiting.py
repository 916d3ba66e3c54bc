"""Waiting for experiments in DVC's queue, workers that die included."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from pipeline.progress import progress
from stages import _experiments as experiments
from stages._experiments import FAILED, QUEUED, RUNNING, SUCCESS, Queue, Task

FIRST_DELAY, DELAY_FACTOR, LONGEST_DELAY = 1.0, 1.5, 15.0  # seconds between looks, each of which costs half a second
PATIENCE = 3  # looks in a row at which nobody works before workers are taken for dead; one may answer too late
ABSENCES = 2  # a task that moves through the queue may be overlooked once
PRECEDENCE = (RUNNING, QUEUED, FAILED, SUCCESS)  # of several tasks of one name


def find_task(queue: Queue, name: str) -> Task | None:
    """The task of that name that counts, done ones last."""
    tasks = [task for task in queue.tasks if task.name == name]
    return min(tasks, key=lambda task: PRECEDENCE.index(task.status), default=None)


def put_into_queue(wanted: Mapping[str, Sequence[str]]) -> None:
    """Queue experiments (name -> overrides of params) unless they are in the queue; earlier failures are forgotten."""
    there = experiments.queue()
    for name in progress(wanted, what="queue", unit="run"):
        task = find_task(there, name)
        if task and task.status in (RUNNING, QUEUED):
            continue
        for task in there.tasks:
            if task.name == name:
                experiments.forget(task)
        experiments.enqueue(name, wanted[name])


def wait_for(wanted: Mapping[str, Sequence[str]], jobs: int, say: Callable[[str], None]) -> dict[str, str]:
    """Have the queue run until all of `wanted` (as queued) are over; name -> why it failed.

    Shows a bar, or where nobody watches a terminal says a line for each that is over. An experiment whose worker died
    is queued once more.
    """
    waiting, failures, revived, absences, idle = set(wanted), {}, set(), Counter(), 0
    delay = FIRST_DELAY
    experiments.start_workers(jobs)
    with progress(what="compare", total=len(wanted), unit="run") as bar:
        while waiting:
            time.sleep(delay)
            queue, stored = experiments.queue(), experiments.finished()
            tasks = {name: find_task(queue, name) for name in sorted(waiting)}
            absences.update(name for name, task in tasks.items() if task is None)
            over = [name for name, task in tasks.items() if name in stored or _is_over(task, absences[name])]
            idle = 0 if over or queue.active else idle + 1
            if idle == PATIENCE:
                for name, task in tasks.items():
                    if task and task.status == RUNNING:
                        experiments.forget(task)
                        if name in revived:
                            over.append(name)
                            failures[name] = "its worker died twice"
                        else:
                            revived.add(name)
                            experiments.enqueue(name, wanted[name])
                experiments.start_workers(jobs)
                idle = 0
            for name in over:
                if name not in stored and name not in failures:
                    failures[name] = experiments.failure(tasks[name]) if tasks[name] else "was taken out of the queue"
                waiting.remove(name)
                if bar.disable:
                    outcome = "failed" if name in failures else "done"
                    say(f"{name}: {outcome} ({len(wanted) - len(waiting)} of {len(wanted)})")
            bar.update(len(over))
            delay = FIRST_DELAY if over else min(delay * DELAY_FACTOR, LONGEST_DELAY)
    return failures


def _is_over(task: Task | None, absences: int) -> bool:
    return absences >= ABSENCES if task is None else task.status in (FAILED, SUCCESS)
