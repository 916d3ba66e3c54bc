"""How many rows the manifest has of what, for the report of `prepare`."""

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.base.names import ATTRIBUTE, CATEGORY, DOMAIN, ITEM, META_DOMAIN, SPLIT, VALUE, Domain, MetaDomain, Split

LISTED = 1000  # pictures left out that the report names


def count_parts(table: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Rows of each domain, and items, by meta-domain and split; items of target/train are not looked at."""
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for meta_domain in MetaDomain:
        for split in Split:
            rows = table[(table[META_DOMAIN] == meta_domain) & (table[SPLIT] == split)]
            if rows.empty:
                continue
            count = {domain.value: int((rows[DOMAIN] == domain).sum()) for domain in Domain}
            if (meta_domain, split) != (MetaDomain.TARGET, Split.TRAIN):
                count["items"] = rows.groupby([CATEGORY, ITEM]).ngroups
            counts.setdefault(meta_domain.value, {})[split.value] = count
    return counts


def count_categories(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Rows of each category by meta-domain."""
    counts = table.groupby([META_DOMAIN, CATEGORY]).size()
    return {meta.value: counts[meta.value].to_dict() for meta in MetaDomain if meta.value in counts.index.levels[0]}


def count_attributes(attributes: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Entries and distinct values of each attribute, in order of their names."""
    known = attributes.groupby(ATTRIBUTE)[VALUE]
    return {name: {"entries": len(values), "values": values.nunique()} for name, values in known}


def tell_left_out(report: dict[str, Any], path: Path) -> str | None:
    """A line about the pictures that a report, written to `path`, lists as left out; None when there are none."""
    left_out = report.get("unreadable", {"pictures": 0})
    if not left_out["pictures"]:
        return None
    first, total = left_out["first"][0], left_out["pictures"] + report["pictures"]
    listed = "all" if left_out["pictures"] <= LISTED else f"the first {LISTED}"
    return f"{left_out['pictures']} of {total} left out: {first['image']} ({first['reason']}); {listed} in {path}"
