"""Running experiments in DVC's queue until all are over, workers that die included."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.base.progress import progress

if TYPE_CHECKING:
    from stages._experiments.queue import Queue

TICK = 1.0  # seconds between looks at what is stored and what is under way
LOOKS = 10  # in a row at which nothing is over, before a look at the workers

Wanted = Mapping[str, Sequence[str]]  # name of an experiment -> overrides of params


def run_all(queue: "Queue", wanted: Wanted, jobs: int, say: Callable[[str], None]) -> dict[str, str]:
    """Queue experiments unless they are under way, and wait until all are over; name -> why it failed.

    Shows a bar, or where nobody watches a terminal says a line for each that is over.
    """
    failures = {}
    with progress(what="compare", total=len(wanted), unit="run") as bar:
        for done, (name, failure) in enumerate(_outcomes(queue, wanted, jobs), start=1):
            if failure:
                failures[name] = failure
            bar.update()
            if not sys.stderr.isatty():
                say(f"{name}: {'failed' if failure else 'done'} ({done} of {len(wanted)})")
    return failures


def _outcomes(queue: "Queue", wanted: Wanted, jobs: int) -> Iterator[tuple[str, str | None]]:
    # Name and why it failed (None: it did not) of each, when it is over. What a dead worker had is queued once more.
    for entry in queue.lost():
        queue.bury(entry)
    entries = queue.under_way()
    entries |= {name: queue.put(name, made) for name, made in wanted.items() if name not in entries}
    queue.start(jobs)
    left, missing, repeated, quiet = set(wanted), set(), set(), 0
    while left:
        time.sleep(TICK)
        there = queue.under_way().keys()  # is read first, so that what leaves it is stored
        over: dict[str, str | None] = dict.fromkeys(left & queue.stored().keys())
        before, missing = missing, left - over.keys() - there
        # What moves through the queue may be overlooked once.
        over |= {name: queue.why(entries[name]) for name in before & missing}
        quiet = 0 if over else quiet + 1
        if quiet == LOOKS:
            quiet = 0
            for entry in queue.lost():
                queue.bury(entry)
                if entry.name in repeated:
                    over[entry.name] = "its worker died twice"
                elif entry.name in left:
                    repeated.add(entry.name)
                    entries[entry.name] = queue.put(entry.name, wanted[entry.name])
            if not queue.works():
                queue.start(jobs)
        left -= over.keys()
        yield from sorted(over.items())
