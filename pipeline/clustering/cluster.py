"""Every group of shop pictures clustered with FINCH."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.base.names import CATEGORY, DOMAIN, Domain
from pipeline.base.progress import progress
from pipeline.clustering.finch import FinchResult, choose_partition, finch
from pipeline.clustering.groups import ClusteredGroup, Group, build_groups
from pipeline.params.cluster import ClusterParams


@dataclass(frozen=True)
class Clustering:
    """The clustered groups, and what is told of each: group -> figures, ready for JSON."""

    groups: list[ClusteredGroup]
    report: dict[str, dict[str, Any]]

    @property
    def n_clusters(self) -> int:
        """Clusters of all groups in the partitions in use."""
        return sum(figures["counts"][figures["partition"]] for figures in self.report.values())


def cluster_groups(
    sources: pd.DataFrame,
    targets: pd.DataFrame,
    source: Tensor,
    target: Tensor,
    *,
    alignment: Mapping[str, Sequence[str]],
    params: ClusterParams,
    block_rows: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Clustering:
    """FINCH in every aligned group and every target-only group (`build_groups`); none without target pictures.

    sources, targets: rows of the manifest, with embeddings source (Ns, D) and target (Nt, D), on one device; of the
    source the shop pictures take part. `alignment`: target category -> source categories. `say` gets a line for what
    should be known of a group. `block_rows` bounds memory.
    Raises UserError as `build_groups` and `finch` do.
    """
    if not len(targets):
        return Clustering([], {})
    shop = np.flatnonzero(sources[DOMAIN] == Domain.SHOP)
    categories = (table[CATEGORY].to_numpy(dtype=str) for table in (sources.iloc[shop], targets))
    clustered, report = [], {}
    for group in progress(build_groups(*categories, alignment), what="cluster", unit="group"):
        rows = torch.cat([source[shop[group.source]], target[group.target]])
        result = finch(rows, params.metric, prune=params.prune, exact_rows=params.exact_rows, block_rows=block_rows)
        _, used = choose_partition(result, params.partition)
        made = ClusteredGroup(group.name, group.aligned, shop[group.source], group.target, result.labels, used)
        clustered.append(made)
        report[group.name] = _figures(made, result)
        for line in _remarks(group, result, used, params.partition):
            say(f"group {group.name}{line}")
    return Clustering(clustered, report)


def _remarks(group: Group, result: FinchResult, used: int, wanted: int) -> list[str]:
    remarks = []
    if used < wanted:
        remarks.append(f" has {used + 1} partitions, so partition {used} stands in for {wanted}")
    if result.recall is not None:
        remarks.append(
            f": {len(group)} pictures, so first neighbours are approximate, {result.recall:.1%} of a sample right; "
            "cluster.exact_rows sets the limit"
        )
    if group.missing:
        remarks.append(f": no source shop picture to train on of {', '.join(group.missing)}")
    return remarks


def _figures(group: ClusteredGroup, result: FinchResult) -> dict[str, Any]:
    mixed = np.intersect1d(group.source_clusters, group.target_clusters)
    return {
        "aligned": group.aligned,
        "source": len(group.source),
        "target": len(group.target),
        "counts": list(result.counts),
        "partition": group.partition,
        "neighbour_recall": 1.0 if result.recall is None else result.recall,
        "mixed_clusters": len(mixed),
        "target_in_mixed": int(np.isin(group.target_clusters, mixed).sum()),
    }
