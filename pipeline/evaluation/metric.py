"""The common face of a metric, a module of `pipeline.evaluation.metrics`.

A metric module has one name, `METRICS`: key -> function that takes the ranks of n queries, a row a query, from 1,
ascending, and gives the value for each (n,) float64, NaN where there is none. A protocol names the keys that it shows.
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
    return _known()[key]


@cache
def _known() -> dict[str, Metric]:
    modules = [import_module(f"{FOLDER}.{name}") for name in plugin_names(FOLDER)]
    return {key: metric for module in modules for key, metric in module.METRICS.items()}
