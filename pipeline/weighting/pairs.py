"""All pairs of a target picture and a source product in one cluster: the structure before any choice is made."""

import numpy as np

from pipeline.arrays.blocks import matching_blocks, rows_per_block
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.members import ClusteredRows, as_index, chosen_rows, find_members, member_means


def cluster_pairs(
    source: ClusteredRows, source_products: np.ndarray, target: ClusteredRows, target_positions: np.ndarray
) -> Links:
    """Every target picture of one group with every product that has a shop picture in its cluster.

    Arguments as in `similarity_list`; the similarity is to the mean of the product's pictures in the cluster.
    The links come cluster by cluster, by target position and product code within one.
    """
    members = find_members(source.clusters, source_products)
    chosen = np.flatnonzero(np.isin(members.clusters, target.clusters))
    if not len(chosen):
        return concatenate([])
    listed = np.flatnonzero(np.isin(target.clusters, members.clusters))
    order = listed[np.argsort(target.clusters[listed], kind="stable")]
    rows, means = chosen_rows(target.embeddings, order), member_means(source, members, chosen)
    keys = as_index(target.clusters[order], rows), as_index(members.clusters[chosen], rows)
    parts = []
    for block, span, match in matching_blocks(*keys, rows_per_block(len(chosen))):
        row, column = (index.cpu().numpy() for index in match.nonzero(as_tuple=True))
        target_rows, member = order[block][row], chosen[span][column]
        similarity = (rows[block] @ means[span].T).float()[match].cpu().numpy()
        links = Links(target_positions[target_rows], members.products[member], similarity, target.clusters[target_rows])
        parts.append(links)
    return concatenate(parts)
