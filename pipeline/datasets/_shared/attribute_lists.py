"""The eight lists of attribute-specific retrieval (ASEN, RPF): pictures, and their attributes by number.

All are text, a record a line, with numbers from 0. Three name the pictures for training, validation and test: the
number of a picture is that of its line. One tells what the training pictures show, as a picture and then pairs of an
attribute and its value. The others have a picture, an attribute and a value: the queries and the candidates (the
gallery) of validation and test.

The published meta.json, which would name the values, is not read: a value is the text of its number. No list tells
products, so `item` is the picture itself, and `category` one and the same. A picture that is listed twice for one part
is one row, and both its numbers mean it; one listed for two parts is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, CATEGORY, DOMAIN, IMAGE, ITEM, ROW, SPLIT, VALUE, Domain, Split
from pipeline.base.params import Section
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lists import read_text
from pipeline.datasets._shared.paths import inside, joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table

LINE = "line"
SAID = [ROW, ATTRIBUTE, VALUE]


class PartFiles(Section):
    """The lists of one held-out part."""

    pictures: str
    queries: str
    candidates: str


class TrainFiles(Section):
    """The lists of the training part."""

    pictures: str
    labels: str


class Files(Section):
    """The eight lists."""

    train: TrainFiles
    val: PartFiles
    test: PartFiles


class Params(RetrievalSetParams):
    """`folder` holds the lists, `images` the pictures; `attributes`: the number of values of each, in their order.

    `repeated`: what becomes of a value that a list tells twice of a picture.
    """

    repeated: Literal["refuse", "drop"]
    origin: str
    folder: Folder
    images: Folder
    category: Annotated[str, Field(min_length=1)]
    domain: Literal["shop", "consumer"]
    files: Files
    attributes: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]

    def pictures(self) -> dict[Split, str]:
        """The list of the pictures of each split."""
        lists = {split: getattr(self.files, split).pictures for split in (Split.TRAIN, Split.VAL, Split.TEST)}
        return {split: joined(self.folder, name) for split, name in lists.items()}

    def entries(self) -> list[tuple[Split, Split, str]]:
        """The lists of entries: of the pictures of which split, the split of the entries, the list."""
        lists = [(Split.TRAIN, Split.TRAIN, self.files.train.labels)]
        for split, files in ((Split.VAL, self.files.val), (Split.TEST, self.files.test)):
            lists += [(split, Split.QUERY, files.queries), (split, Split.GALLERY, files.candidates)]
        return [(split, entry, joined(self.folder, name)) for split, entry, name in lists]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures. Raises UserError saying what goes where if missing."""
    del seed  # nothing is drawn
    lists = [*params.pictures().values(), *(name for _, _, name in params.entries())]
    guide = f"put {', '.join(lists)} and the pictures that they name into {source}: from {params.origin}"
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, lists, guide)
    table = read_table(out, params)
    read_attributes(out, params, table)  # before an hour of copying
    copy_pictures(source, out, table[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The pictures for training, validation (split val) and test, in the order of their lists, each once.

    Raises UserError naming file and line for a line without a picture, and for a picture of two parts.
    """
    listed = pd.concat(_pictures(root, name, params).assign(split=split) for split, name in params.pictures().items())
    table = listed.drop_duplicates([IMAGE, SPLIT])
    again = table[IMAGE].duplicated()
    if again.any():
        two = table[table[IMAGE] == table[IMAGE][again.to_numpy()].iloc[0]]
        first, second = (f"{params.pictures()[split]} line {line}" for line, split in two[SPLIT].items())
        raise UserError(
            f"{root / second}: picture {two[IMAGE].iloc[0]!r} is in {first} too, and can be of one part alone; "
            "let one of the lines name a copy"
        )
    table = table.assign(**{ITEM: table[IMAGE], CATEGORY: params.category, DOMAIN: str(Domain(params.domain))})
    return retrieval_table(table, params.meta_domain, root)


def read_attributes(root: Path, params: Params, table: pd.DataFrame) -> pd.DataFrame:
    """What the lists say, in their order: training labels, then queries and candidates of validation and of test.

    Raises UserError naming file and line for what are no numbers, too few or too many of them, a number beyond the
    pictures, the attributes or their values, and for what a list says twice, unless that is dropped (`repeated`).
    """
    places = pd.Series(table.index, index=table[IMAGE])
    rows = {split: places[_pictures(root, name, params)[IMAGE]] for split, name in params.pictures().items()}
    told = []
    for split, of_entry, name in params.entries():
        pictures, labelled = rows[split], split == Split.TRAIN
        found = _entries(root, name, pictures=len(pictures), attributes=params.attributes, labels=labelled)
        one = pd.DataFrame(found, columns=[LINE, ROW, ATTRIBUTE, VALUE])
        one[ROW] = pictures.to_numpy()[one[ROW].astype(np.int64)]
        if params.repeated == "refuse":
            _refuse_repeated(root / name, one)
        one = one.drop_duplicates(SAID)
        told.append(one.drop(columns=LINE).assign(**{SPLIT: str(of_entry)}))
    return pd.concat(told, ignore_index=True)


def _pictures(root: Path, name: str, params: Params) -> pd.DataFrame:
    """Column image, its path below `root`, of all lines; the index is the number of the line, from 1."""
    paths = []
    for line, text in _lines(root, name):
        if not text:
            raise UserError(f"{root / name} line {line}: blank, where the other lists count it as a picture; name one")
        paths.append(inside(joined(params.images, text), f"{root / name} line {line}"))
    if not paths:
        raise UserError(f"{root / name}: no pictures in it; get the file again")
    return pd.DataFrame({IMAGE: paths}, index=pd.RangeIndex(1, len(paths) + 1))


def _entries(
    root: Path, name: str, *, pictures: int, attributes: dict[str, int], labels: bool
) -> Iterator[tuple[int, int, str, str]]:
    """Line, picture, attribute, value of a list; one of `labels` may have several pairs in a line."""
    known = list(attributes.items())
    form = "a picture and pairs of attribute and value" if labels else "a picture, an attribute and a value"
    for line, text in _lines(root, name):
        where, fields = f"{root / name} line {line}", text.split()
        if not all(field.isascii() and field.isdigit() for field in fields):
            raise UserError(f"{where}: expected whole numbers from 0, {form}; found {text[:80]!r}")
        if len(fields) < 3 or len(fields) % 2 == 0 or (len(fields) > 3 and not labels):
            raise UserError(f"{where}: expected {form}, found {len(fields)} numbers {text[:80]!r}")
        picture, *pairs = map(int, fields)
        if picture >= pictures:
            raise UserError(f"{where}: picture {picture} is beyond the list of {pictures}, which is counted from 0")
        for number, value in zip(pairs[::2], pairs[1::2], strict=True):
            if number >= len(known):
                raise UserError(f"{where}: attribute {number} is beyond the {len(known)} of the set's params.yaml")
            attribute, values = known[number]
            if value >= values:
                told = f"value {value} of attribute {number}, {attribute}"
                raise UserError(f"{where}: {told}, is beyond the {values} of the set's params.yaml")
            yield line, picture, attribute, str(value)


def _refuse_repeated(path: Path, entries: pd.DataFrame) -> None:
    again = entries.duplicated(SAID)
    if again.any():
        one = entries[again].iloc[0]
        first = entries[(entries[SAID] == one[SAID]).all(axis=1)][LINE].iloc[0]
        told, more = f"{one[ATTRIBUTE]} {one[VALUE]}", f" (and {again.sum() - 1} more)" if again.sum() > 1 else ""
        raise UserError(
            f"{path} line {one[LINE]}: {told} of a picture, as in line {first} already{more}; drop one, or set "
            "repeated: drop in the set's params.yaml"
        )


def _lines(root: Path, name: str) -> Iterator[tuple[int, str]]:
    """The lines, stripped, with their numbers from 1, without blank ones at the end; only a line feed ends a line."""
    lines = read_text(root, name).rstrip().split("\n")
    return ((number, line.strip()) for number, line in enumerate(lines, start=1) if lines != [""])
