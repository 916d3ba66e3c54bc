"""How many lists the rows of an index go into, and how many of them a query looks into."""

from math import isqrt
from typing import Protocol

from pipeline.retrieval.engines.face import Engine
from pipeline.retrieval.engines.measure import Sample, recall
from pipeline.retrieval.fusion import Fusion

ROWS_A_LIST = 39  # below which faiss finds that centroids rest on too few rows


class Probing(Engine, Protocol):
    """An engine that looks into some of what it has, `probes` of `most_probes`."""

    probes: int

    @property
    def most_probes(self) -> int:
        """Beyond which there is nothing more to look into."""


def lists_for(rows: int) -> int:
    """Lists for so many rows: four times the square root, as long as there are enough rows a list."""
    return max(1, min(4 * isqrt(rows), rows // ROWS_A_LIST))


def tune_probes(engine: Probing, sample: Sample, least: float, shortlist: int) -> int:
    """The fewest probes for a recall of `least` on the sample; the most where fewer do not reach it."""

    def enough(probes: int) -> bool:
        engine.probes = probes
        return recall(engine, sample, Fusion(), shortlist) >= least

    high = 1
    while high < engine.most_probes and not enough(high):
        high = min(2 * high, engine.most_probes)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    engine.probes = high
    return high
