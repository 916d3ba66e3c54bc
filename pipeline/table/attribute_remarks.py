"""What a table of attributes says that its owner should know before hours of training: nothing of it is an error."""

from collections.abc import Iterator

import pandas as pd

from pipeline.base.names import ATTRIBUTE, META_DOMAIN, ROW, SPLIT, VALUE, MetaDomain, Split

NAMED = 3  # of what a remark is about


def attribute_remarks(manifest: pd.DataFrame, attributes: pd.DataFrame) -> Iterator[str]:
    """Lines about attributes with one value, values with one picture to train on, and queries without an answer.

    `manifest`: as written, `attributes`: of its rows. Pictures to train on are the source's of split train.
    """
    entries = attributes.assign(**{META_DOMAIN: manifest[META_DOMAIN].to_numpy()[attributes[ROW]]})
    values = entries.groupby(ATTRIBUTE)[VALUE].nunique()
    if single := [name for name, number in values.items() if number == 1]:
        yield f"{_counted(single, 'attribute')} with one value, which tells nothing apart: {_first(single)}"
    train = entries[(entries[META_DOMAIN] == MetaDomain.SOURCE) & (entries[SPLIT] == Split.TRAIN)]
    pictures = train.groupby([ATTRIBUTE, VALUE])[ROW].nunique()
    if rare := [f"{name} {value}" for (name, value), number in pictures.items() if number == 1]:
        yield f"{_counted(rare, 'value')} with one picture to train on, which has no other like it: {_first(rare)}"
    for meta_domain in MetaDomain:
        of_one = entries[entries[META_DOMAIN] == meta_domain]
        splits = manifest[SPLIT].to_numpy()[of_one[ROW]]  # lists of val and of test are answered apart
        for held_out, asked in ((splits == Split.VAL, "validation "), (splits != Split.VAL, "")):
            yield from _unanswerable(of_one[held_out], f"{asked}queries of the {meta_domain}")


def _unanswerable(entries: pd.DataFrame, asked: str) -> Iterator[str]:
    """Queries for whose attribute there is no candidate at all, and others that no candidate has the value of."""
    queries, gallery = (entries[entries[SPLIT] == split] for split in (Split.QUERY, Split.GALLERY))
    alone = ~queries[ATTRIBUTE].isin(gallery[ATTRIBUTE])
    if alone.any():
        names = queries[ATTRIBUTE][alone].unique()
        yield f"{alone.sum()} of {len(queries)} {asked} have no candidate of their attribute: {_first(names)}"
    pairs = [pd.MultiIndex.from_frame(one[[ATTRIBUTE, VALUE]]) for one in (queries, gallery)]
    lost = ~pairs[0].isin(pairs[1]) & ~alone
    if lost.any():
        told = (queries[ATTRIBUTE] + " " + queries[VALUE])[lost].unique()
        yield f"{lost.sum()} of {len(queries)} {asked} have no candidate of their value: {_first(told)}"


def _counted(names: list[str], what: str) -> str:
    return f"{len(names)} {what}{'s' if len(names) > 1 else ''}"


def _first(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
