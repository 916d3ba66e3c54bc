"""The common face of a weighting strategy, a module of `pipeline.weighting.strategies`.

A strategy module has two names:

- `USES_TARGET_ITEMS`: whether it groups the target pictures by their `item`, which adaptation without labels
  should not know;
- `links(evidence)`: the chosen `Links`, sorted by target position.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.plugins import load_plugin
from pipeline.weighting.links import Links

STRATEGIES = "pipeline.weighting.strategies"


@dataclass(frozen=True)
class Evidence:
    """What a strategy decides on: the similarity list of all groups, and the item (Nt,) str of every target row.

    The items are None for a strategy that does not declare that it uses them.
    """

    similar: Links
    target_items: np.ndarray | None


def choose_links(strategy: str, similar: Links, read_target_items: Callable[[], np.ndarray]) -> Links:
    """The links that `strategy` makes; `read_target_items` is called only if it uses them.

    Raises UserError for an unknown strategy, listing the known ones.
    """
    module = load_plugin(STRATEGIES, strategy, "weight.strategy")
    return module.links(Evidence(similar, read_target_items() if module.USES_TARGET_ITEMS else None))
