"""Five products of two categories, by hand, and clusters of target-only categories."""

import numpy as np

from pipeline.adaptation.products import Products
from pipeline.arrays.ragged import Ragged

N_SOURCE = 100


def ragged(lists):
    return Ragged.group(
        np.repeat(np.arange(len(lists)), [len(rows) for rows in lists]), np.concatenate(lists), len(lists)
    )


CONSUMER = [[0, 1, 2], [3], [4, 5], [6], [7, 8]]
SHOP = [[10], [11, 12, 13], [14, 15], [16], [17]]
TARGET = [[0, 1, 2], [], [3], [], []]


def products(target=TARGET):
    return Products(
        categories=("a", "b"),
        bounds=np.array([0, 3, 5]),
        codes=np.arange(5),
        consumer=ragged(CONSUMER),
        shop=ragged(SHOP),
        target=ragged([np.array(rows, dtype=np.int64) for rows in target]),
    )


def with_clusters():
    """The products above, and three clusters of two target-only categories."""
    source = products()
    return Products(
        categories=("a", "b", "hats", "bags"),
        bounds=np.array([0, 3, 5, 7, 8]),
        codes=np.array([0, 1, 2, 3, 4, -1, -1, -1]),
        consumer=Ragged.stack([source.consumer, Ragged.empty(3)]),
        shop=Ragged.stack([source.shop, Ragged.empty(3)]),
        target=Ragged.stack([source.target, ragged([[4, 5, 6], [7, 8], [9, 10]])]),
    )
