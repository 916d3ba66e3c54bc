"""Which target picture supports which source item: clusters and a strategy in, named links out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from torch import Tensor

from pipeline.base.names import CATEGORY, DOMAIN, ITEM, Domain
from pipeline.clustering.groups import ClusteredGroup
from pipeline.params.weight import WeightParams
from pipeline.table.products import build_catalogue
from pipeline.weighting.evidence import Evidence
from pipeline.weighting.file import links_table
from pipeline.weighting.links import concatenate
from pipeline.weighting.report import describe_links, describe_target_clusters
from pipeline.weighting.strategy import choose_links, load_strategy
from pipeline.weighting.target_clusters import find_target_clusters
from pipeline.weighting.target_items import code_target_products


@dataclass(frozen=True)
class Weighting:
    """Links in names (`pipeline.weighting.file`), and what is told of them, ready for JSON."""

    links: pd.DataFrame
    report: dict[str, Any]


def weight(
    sources: pd.DataFrame,
    targets: pd.DataFrame,
    source: Tensor,
    target: Tensor,
    groups: Sequence[ClusteredGroup],
    *,
    params: WeightParams,
    say: Callable[[str], None] = lambda _: None,
) -> Weighting:
    """The links of level and strategy: none at L1; at L123 the clusters of target categories without alignment too.

    sources, targets: rows of the manifest (its index names a row), with embeddings source (Ns, D) and target (Nt, D)
    on one device; `groups` count through them. `say` gets a line for what should be known.
    Raises UserError for an unknown strategy, and where one goes by target items and a picture has none.
    """
    strategy = load_strategy(params.strategy)
    catalogue = build_catalogue(*(sources[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM, DOMAIN)))
    aligned = [group for group in groups if group.aligned]
    rows, categories = targets.index.to_numpy(), targets[CATEGORY].to_numpy(dtype=str)
    links = concatenate([])
    if params.level != "L1" and groups:
        links = choose_links(
            strategy,
            Evidence(catalogue, aligned, source, target, say=say),
            lambda: code_target_products(targets[ITEM].to_numpy(dtype=str), rows, aligned, params.strategy),
        )
    third_level = [group for group in groups if not group.aligned] if params.level == "L123" else []
    clusters = find_target_clusters(third_level)
    named = links_table(links, clusters, catalogue, rows, categories)
    listed = {group.name: sorted(set(sources[CATEGORY].iloc[group.source])) for group in aligned}
    shop = sources[sources[DOMAIN] == Domain.SHOP]
    report = describe_links(named[named[ITEM].notna()], targets, shop, listed)
    report["target_only"] = describe_target_clusters(clusters, categories, [group.name for group in third_level])
    return Weighting(named, report)
