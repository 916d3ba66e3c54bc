"""Section `weight`: which target pictures support which source items."""

from typing import Literal

from pipeline.params.base import Section


class WeightParams(Section):
    """`level` L1: source only; L12: target pictures linked to source items. `strategy`: how they are linked."""

    level: Literal["L1", "L12"]
    strategy: str
