"""Section `weight`: which target pictures support which source items."""

from typing import Literal

from pipeline.base.params import Section


class WeightParams(Section):
    """`level` L1: source only; L12: and target pictures linked to source items; L123: and target-only clusters.

    `strategy`: how target pictures are linked.
    """

    level: Literal["L1", "L12", "L123"]
    strategy: str
