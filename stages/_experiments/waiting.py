"""Waiting for experiments in DVC's queue, workers that die included."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from pipeline.base.progress import progress
from stages._experiments import runs as experiments
from stages._experiments.runs import FAILED, QUEUED, RUNNING, SUCCESS, Queue, Task

TICK = 1.0  # seconds between looks at what is stored, which cost nothing
FIRST_DELAY, DELAY_FACTOR, LONGEST_DELAY = 2.0, 1.5, 20.0  # seconds between looks at the queue: half a second of work
PATIENCE = 3  # looks in a row at which nobody works before workers are taken for dead; one may answer too late
ABSENCES = 2  # a task that moves through the queue may be overlooked once
PRECEDENCE = (RUNNING, QUEUED, FAILED, SUCCESS)  # of several tasks of one name

Wanted = Mapping[str, Sequence[str]]  # name of an experiment -> overrides of params


def find_task(queue: Queue, name: str) -> Task | None:
    """The task of that name that counts, done ones last."""
    tasks = [task for task in queue.tasks if task.name == name]
    return min(tasks, key=lambda task: PRECEDENCE.index(task.status), default=None)


def put_into_queue(wanted: Wanted) -> None:
    """Queue experiments unless they are in the queue; what became of earlier attempts is forgotten."""
    there = experiments.queue()
    for name in progress(wanted, what="queue", unit="run"):
        task = find_task(there, name)
        if task and task.status in (RUNNING, QUEUED):
            continue
        for done in there.tasks:
            if done.name == name:
                experiments.forget(done)
        experiments.enqueue(name, wanted[name])


def wait_for(wanted: Wanted, jobs: int, say: Callable[[str], None]) -> dict[str, str]:
    """Have the queue run until all of `wanted` (as queued) are over; name -> why it failed.

    Shows a bar, or where nobody watches a terminal says a line for each that is over. An experiment whose worker died
    is queued once more.
    """
    watch, failures, delay = Watch(wanted, jobs), {}, FIRST_DELAY
    experiments.start_workers(jobs)
    due = time.monotonic() + delay
    with progress(what="compare", total=len(wanted), unit="run") as bar:
        while watch.waiting:
            time.sleep(TICK)
            over = watch.stored()
            if not over and time.monotonic() >= due:
                over = watch.look()
                delay = FIRST_DELAY if over else min(delay * DELAY_FACTOR, LONGEST_DELAY)
                due = time.monotonic() + delay
            for name, failure in over.items():
                watch.waiting.remove(name)
                if failure:
                    failures[name] = failure
                if bar.disable:
                    say(f"{name}: {'failed' if failure else 'done'} ({bar.total - len(watch.waiting)} of {bar.total})")
            bar.update(len(over))
    return failures


class Watch:
    """What is known of the experiments that are not over yet, `waiting`."""

    def __init__(self, wanted: Wanted, jobs: int) -> None:
        self.wanted, self.jobs = wanted, jobs
        self.waiting = set(wanted)
        self.revived: set[str] = set()
        self.absences: Counter[str] = Counter()
        self.idle = 0

    def stored(self) -> dict[str, None]:
        """Those that succeeded meanwhile."""
        return dict.fromkeys(sorted(self.waiting & experiments.finished().keys()))

    def look(self) -> dict[str, str | None]:
        """Look at the queue. Those that are over -> why they failed, None for success."""
        queue = experiments.queue()
        over: dict[str, str | None] = dict(self.stored())  # read after the queue, which is behind it
        tasks = {name: find_task(queue, name) for name in sorted(self.waiting - over.keys())}
        for name, task in tasks.items():
            if task is None:
                self.absences[name] += 1
                if self.absences[name] >= ABSENCES:
                    over[name] = "was taken out of the queue"
            elif task.status in (FAILED, SUCCESS):
                over[name] = experiments.failure(task)
        self.idle = 0 if over or queue.active else self.idle + 1
        if self.idle >= PATIENCE:
            self.idle = 0
            running = [task for task in tasks.values() if task and task.status == RUNNING]
            over |= {task.name: "its worker died twice" for task in running if not self._revive(task)}
            experiments.start_workers(self.jobs)
        return over

    def _revive(self, task: Task) -> bool:
        experiments.forget(task)
        if task.name in self.revived:
            return False
        self.revived.add(task.name)
        experiments.enqueue(task.name, self.wanted[task.name])
        return True
