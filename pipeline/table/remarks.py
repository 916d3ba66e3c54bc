"""What a manifest says about its set that its owner should know before hours of training: nothing of it is an error."""

from collections.abc import Iterator

import pandas as pd

from pipeline.base.names import (
    BOX,
    CATEGORY,
    DIGEST,
    DOMAIN,
    IMAGE,
    ITEM,
    META_DOMAIN,
    SPLIT,
    Domain,
    MetaDomain,
    Split,
)
from pipeline.table.manifest import pictured
from pipeline.table.products import product_codes


def remarks(table: pd.DataFrame) -> Iterator[str]:
    """Lines about queries that nothing can answer, pictures that show two items, and a source of shop pictures alone.

    `table`: a manifest. An item is one (category, item) pair.
    """
    for meta_domain in MetaDomain:
        of_one = table[table[META_DOMAIN] == meta_domain]
        yield from _unanswerable(of_one, meta_domain)
        labelled = of_one if meta_domain == MetaDomain.SOURCE else of_one[of_one[SPLIT] != Split.TRAIN]
        yield from _under_two_items(labelled[pictured(labelled)], meta_domain)
    yield from _without_consumers(table[table[META_DOMAIN] == MetaDomain.SOURCE])


def _unanswerable(table: pd.DataFrame, meta_domain: str) -> Iterator[str]:
    """Queries without a picture of their item in the gallery; pictures of split test that are alone with their item."""
    queries, gallery, searched = (table[table[SPLIT] == split] for split in (Split.QUERY, Split.GALLERY, Split.TEST))
    lost = queries[~_products(queries).isin(_products(gallery))]
    if len(lost):
        yield (
            f"{len(lost)} of {len(queries)} queries of the {meta_domain} have no picture of their category and item in "
            f"the gallery: {_first(lost)}"
        )
    alone = searched[~_products(searched).duplicated(keep=False)]
    if len(alone):
        yield (
            f"{len(alone)} of {len(searched)} test pictures of the {meta_domain} are the only one of their category "
            f"and item, so there is none to be found: {_first(alone)}"
        )


def _under_two_items(table: pd.DataFrame, meta_domain: str) -> Iterator[str]:
    product = pd.Series(product_codes(table), table.index)
    doubled = table[product.groupby([table[name] for name in (DIGEST, *BOX)], dropna=False).transform("nunique") > 1]
    if len(doubled):
        differs = product[doubled.index] != product[doubled.index[0]]
        other = doubled[(doubled[DIGEST] == doubled[DIGEST].iloc[0]) & differs]
        yield (
            f"{doubled[DIGEST].nunique()} pictures of the {meta_domain} are there, byte for byte, under two items or "
            f"more: {_first(doubled)} is also {_first(other)}"
        )


def _without_consumers(source: pd.DataFrame) -> Iterator[str]:
    train = source[source[SPLIT].isin([Split.TRAIN, Split.VAL])]
    if len(train) and not (train[DOMAIN] == Domain.CONSUMER).any() and pictured(train).any():
        yield (
            "the source has no consumer pictures to train on, so finetune.recipe: triplet cannot pair them with shop "
            "pictures; margin_softmax, dada and category_triplet need no domains"
        )


def _products(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[[CATEGORY, ITEM]])


def _first(table: pd.DataFrame) -> str:
    return f"{table[IMAGE].iloc[0]} (item {table[ITEM].iloc[0]})"
