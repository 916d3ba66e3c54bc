"""What the links look like, group by group, so that a failing adaptation can be understood.

This is the one place that may look at `item` and `subcategory` of unlabelled target pictures, and nothing that trains
reads what it finds.
"""

from typing import Any

import numpy as np
import pandas as pd

from pipeline.constants import CATEGORY, ITEM, SUBCATEGORY

QUANTILES = (0.05, 0.5, 0.95)


def describe_links(
    table: pd.DataFrame, targets: pd.DataFrame, sources: pd.DataFrame, groups: dict[str, list[str]]
) -> dict[str, Any]:
    """Figures of `table` (columns of links.parquet) for all groups and each.

    `targets`: manifest rows of the target pictures, `sources`: those of the source shop pictures, both indexed by
    manifest row; `groups`: aligned group -> its source categories.

    For each: `pictures`, `linked` pictures and `items` they support, similarity quantiles, and
    `same_item`: share of pairs of linked pictures of one target item that support one source item (are the pictures of
    a product kept together?); `equal_category`: share of links whose two pictures show the same category, by
    `subcategory` where the dataset has one; `chance_category`: what that share would be for links drawn at random
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


def _fine(targets: pd.DataFrame) -> list[str]:
    return [SUBCATEGORY] if SUBCATEGORY in targets else []


def _figures(linked: pd.DataFrame, targets: pd.DataFrame, sources: pd.DataFrame) -> dict[str, Any]:
    figures = {
        "pictures": len(targets),
        "linked": len(linked),
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
    # Pairs of pictures of one target item, and those of them that support one source item.
    def pairs(counts: pd.Series) -> int:
        return int((counts * (counts - 1) // 2).sum())

    together = linked.groupby([f"target_{ITEM}", CATEGORY, ITEM]).size()
    total = pairs(linked.groupby(f"target_{ITEM}").size())
    return pairs(together) / total if total else float("nan")


def _quantile(values: pd.Series, quantile: float) -> float:
    return float(values.quantile(quantile)) if len(values) else float("nan")


def _mean(values: pd.Series) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
