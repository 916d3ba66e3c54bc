"""Sets that are a list of paths and classes, read as their params file describes them: no code of their own.

The list is text (fields by blanks or by a separator, with or without a line that names them), a struct array of a MAT
file, or the tree of a folder a class. Further lists are joined on the one column that both have. Every picture has the
domain shop. A picture's item is its class: its name by number in a list of names, what `pattern` finds in its path, or
a column. Where the lists do not tell the parts, the first half of the classes is for training, and the other half is
searched by itself (split test), as the literature on metric learning has it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field, field_validator, model_validator

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, IMAGE, ITEM, SPLIT, Split
from pipeline.base.params import Section
from pipeline.datasets._shared.boxes import corner_boxes
from pipeline.datasets._shared.class_folders import class_pictures
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.lines import look_up, numbers, refuse, whole_numbers
from pipeline.datasets._shared.lists import read_named_rows, read_rows, read_text
from pipeline.datasets._shared.matlab import read_mat_list, read_mat_rows
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table, split_by_class

GROUPS = {"class", "number", "category"}  # of a pattern
MOST = 10**9  # of class numbers


class ListParams(Section):
    """A list and its columns: `header`: its first line names them; `variable`: that of a MAT file, with these fields.

    `below`: folder that its paths are relative to, in which "{class}" is the name of the class; `split`: of all rows.
    """

    file: str
    columns: list[str] = Field(default_factory=list)
    separator: str | None = None
    header: bool = False
    variable: str | None = None
    below: str = "."
    split: Literal["train", "test"] | None = None


class FormParams(Section):
    """A form in which the set comes: lists (`path`, `number` and `item` name columns of them), or `class_folders`.

    `boxes`: lists joined for `crop: boxes` alone. `pattern`: regular expression of a path, with groups class, number,
    category; `shape`: the same in words. `corners`, `sides`: columns of a box, left, top, right, bottom or x, y, w, h.
    """

    pictures: list[str]
    lists: list[ListParams] = Field(default_factory=list)
    joined: list[ListParams] = Field(default_factory=list)
    boxes: list[ListParams] = Field(default_factory=list)
    class_folders: str | None = None
    names: ListParams | None = None
    path: str = "path"
    number: str | None = None
    item: str | None = None
    pattern: str | None = None
    shape: str = ""
    corners: list[str] | None = Field(default=None, min_length=4, max_length=4)
    sides: list[str] | None = Field(default=None, min_length=4, max_length=4)

    @field_validator("pattern")
    @classmethod
    def _finds(cls, pattern: str | None) -> str | None:
        try:
            groups = set(re.compile(pattern or "").groupindex)
        except re.error as error:
            raise ValueError(f"should be a regular expression ({error})") from None
        if not groups <= GROUPS:
            raise ValueError(f"should have no groups but {', '.join(sorted(GROUPS))}")
        return pattern

    @model_validator(mode="after")
    def _hangs_together(self) -> "FormParams":
        if bool(self.lists) == (self.class_folders is not None):
            raise ValueError("should have either lists or class_folders")
        if len({one.split is None for one in self.lists}) > 1:
            raise ValueError("should have a split for all of its lists or for none")
        known = {column for one in self.lists for column in one.columns} or {self.path}
        for other in [*self.joined, *self.boxes]:
            if known.isdisjoint(other.columns):
                raise ValueError(f"should have a column of {other.file} in an earlier list")
            known |= set(other.columns)
        for column in filter(None, [self.path, self.number, self.item, *self.box]):
            if column not in known:
                raise ValueError(f"should have the column {column!r} in one of its lists")
        named = (self.names and self.number) or self.item or self.class_folders is not None
        if not named and "class" not in self.groups:
            raise ValueError("should tell the class by names and number, by item, or by the pattern's group class")
        return self

    @property
    def groups(self) -> set[str]:
        """What the pattern finds."""
        return set(re.compile(self.pattern or "").groupindex)

    @property
    def box(self) -> list[str]:
        """The columns of a box; none where there are no boxes."""
        return self.corners or self.sides or []


class Params(RetrievalSetParams):
    """`lists` is one of `forms`; `folder` holds the lists, `images` (null: the same) the pictures.

    `origin` is told when something is missing; `category` is that of all pictures, null: as the pattern finds it.
    """

    origin: str
    lists: str
    folder: Folder
    images: Folder | None = None
    crop: Literal["boxes", "none"] = "none"
    category: str | None = None
    forms: dict[str, FormParams]

    @model_validator(mode="after")
    def _fits(self) -> "Params":
        if self.lists not in self.forms:
            raise ValueError(f"should have as lists one of the forms {', '.join(self.forms)}")
        if self.category is None and "category" not in self.form.groups:
            raise ValueError("should have a category, or a group category in the pattern")
        if self.crop == "boxes" and not self.form.box:
            raise ValueError(f"should have crop: none, since lists: {self.lists} has no boxes")
        return self

    @property
    def form(self) -> FormParams:
        """The chosen one."""
        return self.forms[self.lists]

    @property
    def boxes(self) -> list[ListParams]:
        """Lists of boxes that are wanted."""
        return self.form.boxes if self.crop == "boxes" else []

    def picture(self, name: str) -> str:
        """Path, in the set's folder, of the picture or folder `name`."""
        return joined(self.folder if self.images is None else self.images, name)


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Unpack and copy the lists and the pictures; archives only unless both are there unpacked.

    Raises UserError saying what goes where if something is missing.
    """
    del seed  # nothing is drawn
    form = params.form
    files = [*([form.names] if form.names else []), *form.lists, *form.joined, *params.boxes]
    needed = list(dict.fromkeys(one.file for one in files))
    lists = [joined(params.folder, name) for name in needed]
    below = [form.class_folders] if form.class_folders is not None else [one.below for one in form.lists]
    folders = [params.picture(folder.partition("{")[0]) for folder in below]
    guide = f"put {', '.join([*needed, *form.pictures])} into {source / params.folder}: from {params.origin}"
    fetch_archives(params.archives, source, out, downloads, unless=[*lists, *folders])
    copy_lists(source, out, lists, guide)
    copy_pictures(source, out, _read([out, source], params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """All pictures, of the lists in their order, or of the class folders by class and name.

    Raises UserError naming file and line for a damaged list, for a path that does not fit the pattern, and for a class
    of the training list in the test list.
    """
    return _read([root], params)


def _read(roots: list[Path], params: Params) -> pd.DataFrame:
    """The lists lie in the first root, pictures in any."""
    place, form = roots[0] / params.folder, params.form
    reading = _Reading(place, params, _names(place, form.names) if form.names else [])
    if form.class_folders is not None:
        tables = [reading.of_folders([root / params.picture(form.class_folders) for root in roots])]
    else:
        tables = [reading.of_list(one) for one in form.lists]
        _check_parts(place, form, tables)
    table = pd.concat(tables, ignore_index=True)
    if SPLIT not in table:
        table[SPLIT] = split_by_class(table["order"])
    return retrieval_table(table, params.meta_domain, place)


@dataclass(frozen=True)
class _Reading:
    """One reading of the set whose lists lie in `place`; `names` of the classes by number, if there is such a list."""

    place: Path
    params: Params
    names: list[str]

    def of_list(self, one: ListParams) -> pd.DataFrame:
        """Rows in the columns of the manifest, `order` of their classes, and boxes where they are wanted."""
        form, path = self.params.form, self.place / one.file
        rows = self._rows(one)
        for other in form.joined:
            key, found = self._join(rows, other)
            refuse(path, rows[key], found.isna().any(axis=1), f"has no line in {other.file}")
            rows = rows.join(found)
        facts = _facts(rows[form.path], form)
        refuse(path, rows[form.path], facts.isna().any(axis=1), f"is no {form.shape}")
        if form.number and "number" in facts:
            said = next(other.file for other in [one, *form.joined] if form.number in other.columns)
            other = facts["number"] != rows[form.number]
            refuse(path, rows[form.path], other, f"lies in another class than {said} says")
        return self._table(rows, facts, one.below).assign(**{SPLIT: one.split} if one.split else {})

    def of_folders(self, folders: list[Path]) -> pd.DataFrame:
        """The same of the files below `folders`, by number or name of the class."""
        form = self.params.form
        rows = class_pictures(folders).rename(columns={"path": form.path})
        facts = _facts(rows[form.path], form)
        strange = rows["class"][facts.isna().any(axis=1)]
        if len(strange):
            raise UserError(f"{folders[0]}: folder {strange.iloc[0]!r} does not fit; expected {form.shape}")
        table = self._table(rows, facts.assign(**{"class": rows["class"]}), form.class_folders)
        return table.sort_values("order", kind="stable", ignore_index=True)

    def _table(self, rows: pd.DataFrame, facts: pd.DataFrame, below: str) -> pd.DataFrame:
        form = self.params.form
        number = facts["number"] if "number" in facts else rows[form.number] if form.number else None
        if self.names:
            items = pd.Series([self.names[one - 1] for one in number], rows.index, dtype=str)
        else:
            items = rows[form.item] if form.item else facts["class"]
        paths = [
            joined(below.replace("{class}", item), path) for item, path in zip(items, rows[form.path], strict=True)
        ]
        table = pd.DataFrame({IMAGE: list(map(self.params.picture, paths)), ITEM: items}, index=rows.index)
        table[CATEGORY] = self.params.category or facts["category"]
        table["order"] = items if number is None else number
        if self.params.crop == "boxes":
            for other in self.params.boxes:
                rows = rows.join(self._join(rows, other)[1])
            table[list(BOX)] = corner_boxes(rows[form.box]) if form.corners else rows[form.box]
        return table

    def _rows(self, one: ListParams) -> pd.DataFrame:
        """A list as texts by line; the class number is a whole number, the sides of a box are numbers."""
        form, path = self.params.form, self.place / one.file
        if one.variable:
            rows = read_mat_rows(path, one.variable, one.columns)
        elif one.header:
            rows = read_named_rows(self.place, one.file, one.columns)
        else:
            rows = read_rows(self.place, one.file, one.columns, one.separator)
            rows = rows.apply(lambda column: column.str.strip())
        if form.number in one.columns:
            rows[form.number] = whole_numbers(path, rows[form.number], 1, len(self.names) or MOST)
        return rows.assign(**{column: numbers(path, rows[column]) for column in form.box if column in one.columns})

    def _join(self, rows: pd.DataFrame, other: ListParams) -> tuple[str, pd.DataFrame]:
        """The column that `rows` and the list `other` have in common, and what that says of `rows`, of their index."""
        key = next(column for column in other.columns if column in rows)
        return key, look_up(self.place / other.file, self._rows(other), key, rows[key])


def _facts(paths: pd.Series, form: FormParams) -> pd.DataFrame:
    """What the pattern finds in the paths; NaN where it does not fit. Without a pattern there is nothing."""
    if not form.pattern:
        return pd.DataFrame(index=paths.index)
    facts = paths.str.extract(f"^(?:{form.pattern})$")
    if "number" in facts:
        known = pd.to_numeric(facts["number"])
        facts["number"] = known if known.isna().any() else known.astype(int)
    return facts


def _names(place: Path, one: ListParams) -> list[str]:
    """Names of the classes, from class 1 on, fit for a folder."""
    path = place / one.file
    found = read_mat_list(path, one.variable) if one.variable else read_text(place, one.file).splitlines()
    names = [name.strip().replace("/", "-") for name in found]
    if not names or not all(names) or len(set(names)) < len(names):
        raise UserError(f"{path}: expected the distinct names of the classes, found {len(names)} with gaps or repeats")
    return names


def _check_parts(place: Path, form: FormParams, tables: list[pd.DataFrame]) -> None:
    """Raise UserError for a class that is in a list for training and in one for the test."""
    parts = list(zip(form.lists, tables, strict=True))
    learnt = {item for one, table in parts if one.split == Split.TRAIN for item in table[ITEM]}
    for one, table in parts:
        if one.split == Split.TEST:
            column = table[ITEM].rename(form.item or ITEM)
            refuse(place / one.file, column, column.isin(learnt), "is in the training list too")
