"""The source products in each cluster."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.rows import unit_rows
from pipeline.clustering.means import cluster_means


@dataclass(frozen=True)
class ClusteredRows:
    """One side of a group: embeddings (n, D) and the cluster (n,) int64 of each."""

    embeddings: Tensor
    clusters: np.ndarray


@dataclass(frozen=True)
class Members:
    """The M pairs (cluster, product) that occur among n source rows, sorted by cluster, then product, all int64.

    clusters, products (M,); inside (M,): rows of the product in the cluster; of_row (n,): the member of every row.
    """

    clusters: np.ndarray
    products: np.ndarray
    inside: np.ndarray
    of_row: np.ndarray


def find_members(clusters: np.ndarray, products: np.ndarray) -> Members:
    """The members of a group, from the cluster and the product code (n,) int64 of each of its source rows."""
    bound = products.max(initial=0) + 1
    keys, of_row, inside = np.unique(clusters * bound + products, return_inverse=True, return_counts=True)
    return Members(keys // bound, keys % bound, inside, of_row)


def member_means(source: ClusteredRows, members: Members, chosen: np.ndarray) -> Tensor:
    """The means (C, D) float64, scaled to unit length, of the rows of each of the `chosen` (C,) members."""
    means = cluster_means(source.embeddings, as_index(members.of_row, source.embeddings), len(members.products))
    return unit_rows(means[as_index(chosen, means)])


def chosen_rows(rows: Tensor, chosen: np.ndarray) -> Tensor:
    """The `chosen` (n,) rows as float64, scaled to unit length."""
    return unit_rows(rows[as_index(chosen, rows)].double())


def as_index(values: np.ndarray, like: Tensor) -> Tensor:
    """Integers as an int64 tensor on the device of `like`."""
    return torch.from_numpy(values.astype(np.int64)).to(like.device)
