"""What an index by attributes can be asked for: which pictures each attribute is of, and what is known of them."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, ROW, VALUE
from pipeline.retrieval.index.folder import Index

NONE_HERE = (
    "like: this index is not by attributes; train a network that is asked for them (finetune.recipe: rpf), "
    "then run `dvc repro index`"
)


class Likes:
    """The attributes of an index, `names`, in the order of its network; none of an index of another network."""

    def __init__(self, index: Index) -> None:
        self.names = tuple(index.facts.attributes)
        self._rows = {name: index.engines[name].ids for name in self.names}
        known = () if index.values is None else index.values.groupby(ATTRIBUTE)
        self._values = {str(name): values.set_index(ROW)[VALUE] for name, values in known}

    def check(self, asked: Sequence[str]) -> tuple[str | None, ...]:
        """The attributes that a search is by: what was `asked`, or None alone of an index without any.

        Raises UserError for one that is unknown, and when nothing was asked where something must be.
        """
        if not self.names:
            if asked:
                raise UserError(NONE_HERE)
            return (None,)
        if not asked:
            raise UserError(f"like: this index is by attributes; name one of them: {', '.join(self.names)}")
        for name in asked:
            if name not in self.names:
                close = get_close_matches(name, self.names, n=3)
                hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(self.names)}"
                raise UserError(f"like {name!r}: no attribute of the index; {hint}")
        return tuple(asked)

    def one(self, asked: str | None) -> str | None:
        """As `check`, of one attribute or none."""
        return self.check([] if asked is None else [asked])[0]

    def check_row(self, row: int, attribute: str | None) -> None:
        """Raise UserError unless the picture of that number can be found by the attribute."""
        if attribute is not None and attribute not in (of := self.of(row)):
            raise UserError(f"row {row}: not indexed by {attribute!r}; this picture is by {', '.join(of)}")

    def of(self, row: int) -> tuple[str, ...]:
        """Those that the picture of that number is found by."""
        return tuple(name for name in self.names if row in self._rows[name])

    def among(self, ids: np.ndarray, attribute: str | None) -> np.ndarray:
        """Those of the rows `ids` (n,), ascending, that can be found by the attribute."""
        return ids if attribute is None else ids[np.isin(ids, self._rows[attribute])]

    def values(self, ids: np.ndarray, attribute: str | None) -> list[str | None]:
        """What is known of the rows `ids` (n,)."""
        if attribute not in self._values:
            return [None] * len(ids)
        known = self._values[attribute]
        return [known.get(row) for row in ids.tolist()]
