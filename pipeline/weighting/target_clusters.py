"""Clusters of target pictures whose category has no counterpart in the source: the third level, L123."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.clustering.groups import ClusteredGroup


@dataclass(frozen=True)
class TargetClusters:
    """Pictures of target-only clusters, one row a picture, sorted by target position.

    target (m,) int64: position among the target rows; group (m,) str: the category; cluster (m,) int64: label in it.
    """

    target: np.ndarray
    group: np.ndarray
    cluster: np.ndarray

    def __len__(self) -> int:
        return len(self.target)

    def code(self) -> tuple[np.ndarray, np.ndarray]:
        """The clusters coded 0..K-1 by category, then label: categories (K,) str, and the cluster (m,) of every row."""
        names, group = np.unique(self.group, return_inverse=True)
        bound = self.cluster.max(initial=0) + 1
        keys, codes = np.unique(group * bound + self.cluster, return_inverse=True)
        return names[keys // bound], codes


def find_target_clusters(groups: Iterable[ClusteredGroup]) -> TargetClusters:
    """The clusters of at least two pictures in the groups that are not aligned: a pair needs two.

    Sharma et al., "Unsupervised Meta-Domain Adaptation for Fashion Retrieval", WACV 2021, with a difference on
    purpose: the published code lists a cluster of n pictures n times, under n labels, so that copies of one picture
    repel each other, and it cannot train on the list. Here a cluster is one product.
    """
    nothing = np.empty(0, dtype=np.int64)
    targets, names, labels = [nothing], [np.empty(0, dtype=str)], [nothing]
    for group in groups:
        if not group.aligned:
            _, cluster, sizes = np.unique(group.target_clusters, return_inverse=True, return_counts=True)
            kept = np.flatnonzero(sizes[cluster] >= 2)
            targets.append(group.target[kept])
            names.append(np.full(len(kept), group.name))
            labels.append(group.target_clusters[kept])
    target = np.concatenate(targets)
    order = np.argsort(target, kind="stable")
    return TargetClusters(target[order], np.concatenate(names)[order], np.concatenate(labels)[order])
