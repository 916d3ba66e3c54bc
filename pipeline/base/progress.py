"""Progress bars that stay silent when nobody watches a terminal."""

from collections.abc import Iterable

from tqdm import tqdm

from pipeline.base.processes import is_first


def progress(
    items: Iterable | None = None, *, what: str, total: int | None = None, initial: int = 0, unit: str = "it"
) -> tqdm:
    """A bar on stderr labelled `what`; disabled unless stderr is a terminal.

    Of several processes the first one has it.
    """
    disable = None if is_first() else True
    return tqdm(items, desc=what, total=total, initial=initial, unit=unit, disable=disable, leave=False)
