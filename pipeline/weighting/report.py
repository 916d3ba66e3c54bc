"""What the links look like, group by group, so that a failing adaptation can be understood.

This is the one place that may look at `item` and `subcategory` of unlabelled target pictures, and nothing that trains
reads what it finds.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.names import CATEGORY, ITEM, SUBCATEGORY
from pipeline.weighting.target_clusters import TargetClusters

QUANTILES = (0.05, 0.5, 0.95)


def describe_links(
    table: pd.DataFrame, targets: pd.DataFrame, sources: pd.DataFrame, groups: dict[str, list[str]]
) -> dict[str, Any]:
    """Figures of `table` (columns of links.parquet, links to source items only) for all groups and each.

    `targets`: manifest rows of the target pictures, `sources`: those of the source shop pictures, both indexed by
    manifest row; `groups`: aligned group -> its source categories.

    For each: `pictures`, `linked` pictures, their `links` and the `items` they support, similarity quantiles, and
    `same_item`: share of pairs of links of two pictures of one target item that support one source item (are the
    pictures of a product kept together?); `equal_category`: share of links whose two pictures show the same category,
    by `subcategory` where the dataset has one; `chance_category`: what that share would be for links drawn at random
    within the group.
    """
    linked = table.set_index("row").join(targets[[ITEM, *_fine(targets)]].add_prefix("target_"))
    report = {"all": _figures(linked, targets, sources)}
    report["groups"] = {
        name: _figures(
            linked[linked["group"] == name],
            targets[targets[CATEGORY] == name],
            sources[sources[CATEGORY].isin(listed)],
        )
        for name, listed in groups.items()
    }
    return report


def describe_target_clusters(
    clusters: TargetClusters, categories: np.ndarray, target_only: Iterable[str]
) -> dict[str, Any]:
    """For each `target_only` category: its `pictures`, those `clustered` with another, and the `clusters` they form.

    categories (Nt,) str: the category of every target picture.
    """
    names, _ = clusters.code()
    return {
        name: {
            "pictures": int((categories == name).sum()),
            "clustered": int((clusters.group == name).sum()),
            "clusters": int((names == name).sum()),
        }
        for name in target_only
    }


def _fine(targets: pd.DataFrame) -> list[str]:
    return [SUBCATEGORY] if SUBCATEGORY in targets else []


def _figures(linked: pd.DataFrame, targets: pd.DataFrame, sources: pd.DataFrame) -> dict[str, Any]:
    figures = {
        "pictures": len(targets),
        "linked": linked.index.nunique(),
        "links": len(linked),
        "items": int(linked[[CATEGORY, ITEM]].drop_duplicates().shape[0]),
        "similarity": {f"q{quantile:g}": _quantile(linked["similarity"], quantile) for quantile in QUANTILES},
        "same_item": _same_item(linked),
    }
    if _fine(targets):
        figures["equal_category"] = _mean(linked[f"target_{SUBCATEGORY}"] == linked[CATEGORY])
        shares = sources[CATEGORY].value_counts(normalize=True)
        figures["chance_category"] = _mean(targets[SUBCATEGORY].map(shares).fillna(0.0))
    return figures


def _same_item(linked: pd.DataFrame) -> float:
    # Pairs of links of two pictures of one target item, and those of them that support one source item.
    def pairs(*keys: Any) -> int:
        counts = named.groupby(list(keys)).size()
        return int((counts * (counts - 1) // 2).sum())

    named = linked[linked[f"target_{ITEM}"].str.strip() != ""]
    item = ["group", f"target_{ITEM}"]
    total = pairs(*item) - pairs(named.index)  # a picture does not pair with itself
    return pairs(*item, CATEGORY, ITEM) / total if total else float("nan")


def _quantile(values: pd.Series, quantile: float) -> float:
    return float(values.quantile(quantile)) if len(values) else float("nan")


def _mean(values: pd.Series) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
