"""Target pictures and the source products they share a cluster with: the list all clustered strategies start from.

Sharma, Murray, Larlus, Sarfraz, Stiefelhagen, Csurka, "Unsupervised Meta-Domain Adaptation for Fashion Retrieval",
WACV 2021.
"""

import numpy as np
import torch
from torch import Tensor

from pipeline.arrays.blocks import matching_blocks, rows_per_block
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.members import ClusteredRows, as_index, chosen_rows, find_members, member_means


def similarity_list(
    source: ClusteredRows,
    source_products: np.ndarray,
    target: ClusteredRows,
    target_positions: np.ndarray,
    *,
    n_shop: np.ndarray,
    has_consumer: np.ndarray,
) -> Links:
    """The similarity list of one group: every target picture with its most similar candidate, in the order given.

    source: the group's source shop rows, source_products (n_s,) int64 their product codes; target: its target rows,
    target_positions (n_t,) int64 their positions among all; n_shop (G,): shop pictures of each product, in and out
    of the group; has_consumer (G,) bool: whether it has any consumer picture.

    The candidates of a cluster are the products with the greatest share of their shop pictures inside it, all of them
    when tied (the common case: every product wholly inside). A candidate is as similar as the target picture is to
    the mean of the candidate's pictures in the cluster, by cosine; the lowest code wins ties. Clusters in which no
    product has a consumer picture are left out.
    """
    members = find_members(source.clusters, source_products)
    clusters, products = members.clusters, members.products
    candidate = _greatest_shares(members.inside / n_shop[products], clusters)
    eligible = np.isin(clusters, clusters[has_consumer[products]])
    chosen = np.flatnonzero(candidate & eligible & np.isin(clusters, target.clusters))
    if not len(chosen):
        return concatenate([])
    listed = np.flatnonzero(np.isin(target.clusters, clusters[chosen]))
    order = listed[np.argsort(target.clusters[listed], kind="stable")]
    best, similarity = _most_similar(
        chosen_rows(target.embeddings, order),
        target.clusters[order],
        member_means(source, members, chosen),
        clusters[chosen],
    )
    back = np.argsort(order, kind="stable")
    return Links(target_positions[listed], products[chosen[best[back]]], similarity[back], target.clusters[listed])


def _greatest_shares(shares: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """(M,) bool: whether a member's share is the greatest of its cluster. Equal fractions are equal floats."""
    greatest = np.zeros(clusters.max(initial=-1) + 1)
    np.maximum.at(greatest, clusters, shares)
    return shares == greatest[clusters]


def _most_similar(
    targets: Tensor, target_clusters: np.ndarray, candidates: Tensor, candidate_clusters: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For every target (T, D) the index of the best candidate (C, D) of its cluster and their similarity.

    Both sides are unit rows sorted by cluster. The similarity is rounded to float32 before the choice, so that
    candidates with equal means tie whatever the order of summation was.
    """
    best = np.empty(len(targets), dtype=np.int64)
    similarity = np.empty(len(targets), dtype=np.float32)
    keys = as_index(target_clusters, targets), as_index(candidate_clusters, targets)
    for rows, columns, match in matching_blocks(*keys, rows_per_block(len(candidates))):
        scores = (targets[rows] @ candidates[columns].T).float().masked_fill_(~match, -torch.inf)
        value, index = scores.max(dim=1)
        similarity[rows], best[rows] = value.cpu().numpy(), index.cpu().numpy() + columns.start
    return best, similarity
