"""Sets that are a list of paths and classes, read as their params file describes them: no code of their own.

The list is text, CSV, JSON (`pipeline.datasets._shared.forms` says what can be told of it), a struct array of a MAT
file, or the tree of a folder a class. Further lists are joined on the one column that both have. Every picture has the
domain shop unless the form tells consumer pictures. A picture's item is its class: its name by number in a list of
names, what `pattern` finds in its path, or a column. Where the lists do not tell the parts, the first half of the
classes is for training, and the other half is searched by itself (split test), as the literature on metric learning has
it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import model_validator

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, DOMAIN, IMAGE, ITEM, SPLIT, SUBCATEGORY, Domain, Split
from pipeline.datasets._shared.boxes import corner_boxes, enlarged, in_whole_pixels
from pipeline.datasets._shared.class_folders import class_pictures
from pipeline.datasets._shared.class_sizes import SizeParams, keep_sizes
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.forms import FormParams, ListParams
from pipeline.datasets._shared.lines import look_up, numbers, refuse, whole_numbers
from pipeline.datasets._shared.list_rows import list_rows
from pipeline.datasets._shared.lists import read_text
from pipeline.datasets._shared.matlab import read_mat_list
from pipeline.datasets._shared.paths import joined
from pipeline.datasets._shared.retrieval_sets import Folder, RetrievalSetParams, retrieval_table, split_by_class

MOST = 10**9  # of class numbers


class Params(RetrievalSetParams, SizeParams):
    """`lists` is one of `forms`; `folder` holds the lists, `images` (null: the same) the pictures.

    `origin` is told when something is missing; `category` is that of all pictures where the form has none, null: as the
    pattern finds it.
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
        if not (self.form.category or self.category or "category" in self.form.groups):
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
    copy_lists(source, out, [file for name in lists for file in _files(source, out, name)], guide)
    copy_pictures(source, out, _read([out, source], params)[IMAGE], guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """All pictures, of the lists in their order, or of the class folders by class and name.

    Raises UserError naming file and line for a damaged list, for a path that does not fit the pattern, and for a class
    of the training list in the test list.
    """
    return _read([root], params)


def _files(source: Path, out: Path, name: str) -> list[str]:
    """The files of the list `name` that are to be copied: itself, or those of a folder that no archive brought."""
    if (out / name).is_dir():
        return []
    return sorted(path.relative_to(source).as_posix() for path in (source / name).glob("*.json")) or [name]


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
    if form.repeats == "first":
        table = table.drop_duplicates([IMAGE, *(BOX if BOX[0] in table else ())])
    table = keep_sizes(table, params, place).assign(**{ITEM: lambda kept: form.prefix + kept[ITEM]})
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
        if form.item in one.columns:
            refuse(path, rows[form.item], rows[form.item].str.strip() == "", "is empty")
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
        table[CATEGORY] = form.category or self.params.category or facts["category"]
        table["order"] = items if number is None else number
        if form.domain or form.consumer:
            table[DOMAIN] = rows[form.domain] if form.domain else _domains(rows[form.path], form.consumer)
        if form.subcategory:
            table[SUBCATEGORY] = rows[form.subcategory]
        if self.params.crop == "boxes":
            for other in self.params.boxes:
                rows = rows.join(self._join(rows, other)[1])
            boxes = corner_boxes(rows[form.box]) if form.corners else rows[form.box].set_axis(list(BOX), axis=1)
            table[list(BOX)] = boxes if form.enlarge is None else in_whole_pixels(enlarged(boxes, form.enlarge))
        return table

    def _rows(self, one: ListParams) -> pd.DataFrame:
        """A list as texts by line; the class number is a whole number, the sides of a box are numbers."""
        form, path = self.params.form, self.place / one.file
        rows = list_rows(self.place, one, form.path)
        if form.number in one.columns:
            rows[form.number] = whole_numbers(path, rows[form.number], 1, len(self.names) or MOST)
        texts = [column for column in form.box if column in one.columns and rows[column].dtype != float]
        return rows.assign(**{column: numbers(path, rows[column]) for column in texts})

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


def _domains(paths: pd.Series, consumer: str) -> pd.Series:
    return paths.str.fullmatch(consumer).map({True: str(Domain.CONSUMER), False: str(Domain.SHOP)})


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
