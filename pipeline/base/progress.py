"""How far the work is: bars on a terminal, and elsewhere a line now and then."""

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic

from tqdm import tqdm

from pipeline.base.processes import is_first

EVERY = 20.0  # seconds between lines

_active: list[tqdm] = []


def progress(
    items: Iterable | None = None, *, what: str, total: int | None = None, initial: int = 0, unit: str = "it"
) -> tqdm:
    """A bar on stderr labelled `what`; where that is no terminal, what `lines_of_progress` tells of.

    Of several processes the first one has it.
    """
    shown = {"desc": what, "total": total, "initial": initial, "unit": unit, "leave": False}
    if not is_first():
        return tqdm(items, **shown, disable=True)
    return tqdm(items, **shown) if sys.stderr.isatty() else _Unseen(items, **shown, file=io.StringIO())


@contextmanager
def lines_of_progress(say: Callable[[str], None]) -> Iterator[None]:
    """Context in which a line is said each 20 seconds, where no terminal shows bars: share done and seconds left."""
    if sys.stderr.isatty() or not is_first():
        yield
        return
    over, start = threading.Event(), monotonic()

    def tell() -> None:
        while not over.wait(EVERY):
            say(_line(start))

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _line(start: float) -> str:
    bars = [bar for bar in list(_active) if bar.total]
    if not bars:
        return f"at work for {monotonic() - start:.0f} s"
    facts = bars[0].format_dict  # the outermost
    done, total, rate = facts["n"], facts["total"], (facts["n"] - facts["initial"]) / max(facts["elapsed"], 1e-9)
    left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
    return f"{facts['prefix']}: {100 * done // total} % ({done} of {total} {facts['unit']}){left}"


class _Unseen(tqdm):
    """A bar that counts and shows nothing."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        _active.append(self)

    def __iter__(self) -> Iterator:
        try:
            for item in self.iterable:
                yield item
                self.n += 1
        finally:
            self.close()

    def update(self, n: float = 1) -> None:
        """Count `n` more."""
        self.n += n

    def close(self) -> None:
        """End it."""
        if self in _active:
            _active.remove(self)
        super().close()
