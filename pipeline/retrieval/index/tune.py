"""How many lists the rows of an index go into, and how many of them a query looks into."""

from math import isqrt

from pipeline.retrieval.engines.ivf import IvfEngine
from pipeline.retrieval.fusion import Fusion
from pipeline.retrieval.index.measure import Sample, recall

ROWS_A_LIST = 39  # below which faiss finds that centroids rest on too few rows


def lists_for(rows: int) -> int:
    """Lists for so many rows: four times the square root, as long as there are enough rows a list."""
    return max(1, min(4 * isqrt(rows), rows // ROWS_A_LIST))


def tune_probes(engine: IvfEngine, sample: Sample, least: float, shortlist: int) -> int:
    """The fewest lists to look into for a recall of `least` on the sample; all of them where fewer do not reach it."""

    def enough(probes: int) -> bool:
        engine.probes = probes
        return recall(engine, sample, Fusion(), shortlist) >= least

    high = 1
    while high < engine.lists and not enough(high):
        high = min(2 * high, engine.lists)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    engine.probes = high
    return high
