"""What each of several processes does of a batch."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.base.errors import UserError


@dataclass(frozen=True)
class Share:
    """That of process `rank`, counted from 0, of `count`; by default of one that is alone."""

    rank: int = 0
    count: int = 1

    def sizes(self, n: int) -> list[int]:
        """How many of `n` rows each process has; they lie in the order of the processes."""
        bounds = [n * rank // self.count for rank in range(self.count + 1)]
        return [end - start for start, end in pairwise(bounds)]

    def places(self, n: int) -> np.ndarray:
        """Those of `n` places that are of this process, ascending."""
        return np.arange(n * self.rank // self.count, n * (self.rank + 1) // self.count)

    def chosen(self, *parts: int) -> np.ndarray:
        """(sum of `parts`,) bool: the places of this process where a batch has parts of those lengths, each shared out.

        Raises UserError for a part that is too small to share out.
        """
        for n in parts:
            if 0 < n < self.count:
                raise UserError(f"{self.count} processes cannot share out the {n} rows of a batch; start {n} at most")
        chosen = np.zeros(sum(parts), dtype=bool)
        for start, n in zip(np.cumsum([0, *parts]), parts, strict=False):
            chosen[start + self.places(n)] = True
        return chosen
