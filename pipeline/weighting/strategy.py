"""The common face of a weighting strategy, a module of `pipeline.strategies`.

A strategy module has two names:

- `USES_TARGET_ITEMS`: whether it groups the target pictures by their `item`, which adaptation without labels
  should not know;
- `links(evidence)`: the chosen `Links`, sorted by target position.
"""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

from pipeline.base.plugins import load_plugin
from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import Links
from pipeline.weighting.target_items import TargetProducts

STRATEGIES = "pipeline.strategies"


def load_strategy(name: str) -> ModuleType:
    """The strategy `name`. Raises UserError for an unknown one, listing the known ones."""
    return load_plugin(STRATEGIES, name, "weight.strategy")


def choose_links(strategy: ModuleType, evidence: Evidence, read_target_products: Callable[[], TargetProducts]) -> Links:
    """The links that `strategy` makes; `read_target_products` is called only if it uses the items of the target."""
    if strategy.USES_TARGET_ITEMS:
        evidence = replace(evidence, target_products=read_target_products())
    return strategy.links(evidence)
