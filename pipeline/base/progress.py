"""Progress bars that stay silent when nobody watches a terminal."""

from collections.abc import Iterable

from tqdm import tqdm


def progress(
    items: Iterable | None = None, *, what: str, total: int | None = None, initial: int = 0, unit: str = "it"
) -> tqdm:
    """A bar on stderr labelled `what`; disabled unless stderr is a terminal."""
    return tqdm(items, desc=what, total=total, initial=initial, unit=unit, disable=None, leave=False)
