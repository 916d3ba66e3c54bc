"""The common face of a metric, a module of `pipeline.evaluation.metrics`.

A metric module has one name, `METRICS`: key -> function that takes the ranks of n queries, a row a query, from 1,
ascending, and gives the value for each (n,) float64, NaN where there is none. A key that ends in @ stands for all of
`key@k`, k from 1, and has a function from k to such a function. A protocol names the keys that it shows.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module

import numpy as np

from pipeline.arrays.ragged import Ragged
from pipeline.base.plugins import plugin_names

FOLDER = "pipeline.evaluation.metrics"

Metric = Callable[[Ragged], np.ndarray]


def metric_of(key: str) -> Metric:
    """The metric `key`. Raises KeyError for one that no module has."""
    name, at, place = key.partition("@")
    if key not in _known() and place.isdecimal() and int(place):
        return _known()[name + at](int(place))
    return _known()[key]


def metric_names() -> list[str]:
    """All keys, sorted; `cmc@` stands for those of every k."""
    return sorted(_known())


@cache
def _known() -> dict[str, Callable]:
    modules = [import_module(f"{FOLDER}.{name}") for name in plugin_names(FOLDER)]
    return {key: metric for module in modules for key, metric in module.METRICS.items()}
