"""How many rows the manifest has of what, for the report of `prepare`."""

import pandas as pd

from pipeline.base.names import CATEGORY, DOMAIN, ITEM, META_DOMAIN, SPLIT, Domain, MetaDomain, Split


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
                count["items"] = rows[ITEM].nunique()
            counts.setdefault(meta_domain.value, {})[split.value] = count
    return counts


def count_categories(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Rows of each category by meta-domain."""
    counts = table.groupby([META_DOMAIN, CATEGORY]).size()
    return {meta.value: counts[meta.value].to_dict() for meta in MetaDomain if meta.value in counts.index.levels[0]}
