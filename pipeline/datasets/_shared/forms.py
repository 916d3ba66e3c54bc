"""What the params file of a set without code may say about its lists."""

import re
from collections.abc import Iterable
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.base.params import Section

GROUPS = {"class", "number", "category"}  # of a pattern


def _expression(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"should be a regular expression ({error})") from None
    return pattern


def _with_known_groups(pattern: str) -> str:
    if not set(re.compile(pattern).groupindex) <= GROUPS:
        raise ValueError(f"should have no groups but {', '.join(sorted(GROUPS))}")
    return pattern


Pattern = Annotated[str, AfterValidator(_expression)]


class ListParams(Section):
    """A list and its columns: `header`: its first line names them; `variable`: that of a MAT file, with these fields.

    `kind`: text (fields by blanks or by a separator), csv (its first line names the columns, further ones are ignored),
    json (`pipeline.datasets._shared.trees`), coco and deepfashion2 (`pipeline.datasets._shared.annotations`).
    `below`: folder that its paths are relative to, in which "{class}" is the name of the class; `template`: paths from
    its columns, as in "{id[0]}/{id}.jpg", where it has none; `split`: of all rows.
    """

    file: str
    kind: Literal["text", "csv", "json", "coco", "deepfashion2"] = "text"
    columns: list[str] = Field(default_factory=list)
    separator: str | None = None
    header: bool = False
    variable: str | None = None
    below: str = "."
    template: str | None = None
    split: Literal["train", "test"] | None = None

    @model_validator(mode="after")
    def _makes_paths_of_columns(self) -> "ListParams":
        try:
            names = {re.split(r"[.\[]", name)[0] for _, name, *_ in Formatter().parse(self.template or "") if name}
            fits = names <= set(self.columns) and "{}" not in (self.template or "")
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"should have a template of its columns {', '.join(self.columns)}, in braces")
        return self


class FormParams(Section):
    """A form in which the set comes: lists (`path`, `number` and `item` name columns of them), or `class_folders`.

    `boxes`: lists joined for `crop: boxes` alone. `pattern`: regular expression of a path, with groups class, number,
    category; `shape`: the same in words. `consumer`: regular expression of the paths of consumer pictures, all others
    are the shop's; `domain`, `subcategory`: columns that tell them. `corners`, `sides`: columns of a box, left, top,
    right, bottom or x, y, w, h; `enlarge`: share of its sides that a box gains at each end, in whole pixels then.
    `category`: of all pictures. `prefix`: what items begin with, so that they stay apart from those of other sets in
    the same category. `repeats`: a picture (or box of one) that is listed again is refused, or counts for the class
    that it is listed under first.
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
    domain: str | None = None
    subcategory: str | None = None
    pattern: Annotated[Pattern, AfterValidator(_with_known_groups)] | None = None
    shape: str = ""
    consumer: Pattern | None = None
    corners: list[str] | None = Field(default=None, min_length=4, max_length=4)
    sides: list[str] | None = Field(default=None, min_length=4, max_length=4)
    enlarge: Annotated[float, Field(ge=0)] | None = None
    category: str | None = None
    prefix: str = ""
    repeats: Literal["refuse", "first"] = "refuse"

    @model_validator(mode="after")
    def _hangs_together(self) -> "FormParams":
        if bool(self.lists) == (self.class_folders is not None):
            raise ValueError("should have either lists or class_folders")
        if len({one.split is None for one in self.lists}) > 1:
            raise ValueError("should have a split for all of its lists or for none")
        known = self._columns(self.lists) or {self.path}
        for other in [*self.joined, *self.boxes]:
            if known.isdisjoint(other.columns):
                raise ValueError(f"should have a column of {other.file} in an earlier list")
            known |= set(other.columns)
        for column in filter(None, [self.path, self.number, self.item, self.domain, self.subcategory, *self.box]):
            if column not in known:
                raise ValueError(f"should have the column {column!r} in one of its lists")
        named = (self.names and self.number) or self.item or self.class_folders is not None
        if not named and "class" not in self.groups:
            raise ValueError("should tell the class by names and number, by item, or by the pattern's group class")
        return self

    def _columns(self, lists: Iterable[ListParams]) -> set[str]:
        columns = {column for one in lists for column in one.columns}
        return columns | {self.path for one in lists if one.template}

    @property
    def groups(self) -> set[str]:
        """What the pattern finds."""
        return set(re.compile(self.pattern or "").groupindex)

    @property
    def box(self) -> list[str]:
        """The columns of a box; none where there are no boxes."""
        return self.corners or self.sides or []
