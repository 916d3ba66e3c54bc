"""Grocery Store Dataset: lists of natural pictures, and a table of the classes with their iconic pictures."""

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field, ValidationInfo, field_validator

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY, DOMAIN, IMAGE, ITEM, META_DOMAIN, SPLIT, Domain, MetaDomain, Split
from pipeline.base.params import Section
from pipeline.datasets._shared.fetching import copy_lists, copy_pictures
from pipeline.datasets._shared.lines import look_up, refuse, whole_numbers
from pipeline.datasets._shared.lists import read_rows
from pipeline.datasets._shared.paths import inside, joined
from pipeline.datasets._shared.repository import fetch_commit

PARAMS = "pipeline/datasets/grocery_store/params.yaml"
ROOT = "dataset"
CLASSES = f"{ROOT}/classes.csv"
COPIES = "unlabelled"  # the folder of the iconic pictures of the target, once more
PICTURE = r"^(?:train|val|test)/(?P<part>[^/]+)/.+$"

# Columns beside those of the manifest.
PART, COARSE, ICONIC = "part", "coarse", "iconic"


class Params(Section):
    """Where the set is fetched from, which lists and parts are read, and what the target's categories are."""

    repository: Annotated[str, Field(min_length=1)]
    commit: Annotated[str, Field(pattern="^[0-9a-f]{40}$")]
    lists: Annotated[list[Literal["train", "val", "test"]], Field(min_length=1)]
    source: list[str]
    target: list[str]
    target_category: Literal["part", "coarse"]
    max_pictures: Annotated[int, Field(ge=1)] | None

    @field_validator("target")
    @classmethod
    def _beside_source(cls, target: list[str], info: ValidationInfo) -> list[str]:
        if set(target) & set(info.data.get("source", ())):
            raise ValueError("should have no part that source has")
        if not target and info.data.get("source") == []:
            raise ValueError("should have a part where source has none")
        return target


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Copy the lists and the pictures, from `source` if `dataset/` is there, else from the repository.

    Raises UserError when the repository cannot be fetched, for a missing list, and for whatever `read_table` refuses.
    """
    del seed  # nothing is drawn
    guide = f"put the folder {ROOT}/ of {params.repository} at commit {params.commit} into {source}"
    if not (source / ROOT).is_dir():
        source = fetch_commit(params.repository, params.commit, downloads, guide)
    copy_lists(source, out, [CLASSES, *map(_list_file, params.lists)], guide)
    images = read_table(out, params)[IMAGE]
    copies = images.str.startswith(f"{COPIES}/")
    copy_pictures(source, out, images[~copies], guide)
    if copies.any():
        copy_pictures(source, out / COPIES, images[copies].str.removeprefix(f"{COPIES}/"), guide)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The source's pictures (train), then the target's: query, gallery, and the gallery's once more without item.

    Raises UserError naming file and line for a damaged list, and for a part that the lists have not.
    """
    classes = _classes(root)
    natural = pd.concat([_natural(root, name, classes) for name in params.lists], ignore_index=True)
    _check_parts(params, sorted(set(natural[PART])))
    if params.max_pictures is not None:
        natural = natural.groupby(ITEM).head(params.max_pictures)
    category = COARSE if params.target_category == "coarse" else PART
    source, target = natural[natural[PART].isin(params.source)], natural[natural[PART].isin(params.target)]
    source, target = source.assign(**{CATEGORY: source[COARSE]}), target.assign(**{CATEGORY: target[category]})
    rows = [
        _rows(source, Domain.CONSUMER, MetaDomain.SOURCE, Split.TRAIN),
        _rows(_iconic(source), Domain.SHOP, MetaDomain.SOURCE, Split.TRAIN),
        _rows(target, Domain.CONSUMER, MetaDomain.TARGET, Split.QUERY),
        _rows(_iconic(target), Domain.SHOP, MetaDomain.TARGET, Split.GALLERY),
        _rows(_unlabelled(_iconic(target)), Domain.SHOP, MetaDomain.TARGET, Split.TRAIN),
    ]
    return pd.concat(rows, ignore_index=True)


def _list_file(name: str) -> str:
    return f"{ROOT}/{name}.txt"


def _natural(root: Path, name: str, classes: pd.DataFrame) -> pd.DataFrame:
    """A list of natural pictures with all that is known of them."""
    path, rows = root / _list_file(name), _fields(root, _list_file(name), ["path", "class_id", "coarse_id"])
    _check_ids(path, rows)
    parts = rows["path"].str.extract(PICTURE)[PART]
    refuse(path, rows["path"], parts.isna(), "is no (train|val|test)/<part>/<picture>")
    of = look_up(root / CLASSES, classes, "class_id", rows["class_id"])
    refuse(path, rows["class_id"], of[ITEM].isna(), f"has no line in {CLASSES}")
    return of[[ITEM, COARSE, ICONIC]].assign(**{IMAGE: _images(path, rows["path"]), PART: parts})


def _classes(root: Path) -> pd.DataFrame:
    """The classes; their iconic pictures as paths in the set's folder."""
    columns = [ITEM, "class_id", COARSE, "coarse_id", ICONIC, "description"]
    path, rows = root / CLASSES, _fields(root, CLASSES, columns)[1:]  # the header names them otherwise
    _check_ids(path, rows)
    for column in (ITEM, COARSE, ICONIC):
        refuse(path, rows[column], rows[column] == "", "is empty")
    refuse(path, rows[ITEM], rows[ITEM].duplicated(), "is in an earlier line already")
    return rows.assign(**{ICONIC: _images(path, rows[ICONIC].str.removeprefix("/"))})


def _fields(root: Path, name: str, columns: list[str]) -> pd.DataFrame:
    rows = read_rows(root, name, columns, ",")
    return rows.assign(**{column: rows[column].str.strip() for column in columns})


def _check_ids(path: Path, rows: pd.DataFrame) -> None:
    for column in ("class_id", "coarse_id"):
        whole_numbers(path, rows[column], 0, 10**6)


def _images(path: Path, names: pd.Series) -> list[str]:
    return [joined(ROOT, inside(name, f"{path} line {line}: {names.name}")) for line, name in names.items()]


def _check_parts(params: Params, known: list[str]) -> None:
    for key, parts in (("source", params.source), ("target", params.target)):
        for part in parts:
            if part not in known:
                raise UserError(f"{PARAMS}:{key}: {part!r} is no part of the set; there are {', '.join(known)}")


def _iconic(natural: pd.DataFrame) -> pd.DataFrame:
    """The products of these pictures, each with its iconic picture."""
    products = natural.drop_duplicates([ITEM, PART])
    return products.assign(**{IMAGE: products[ICONIC]})


def _unlabelled(pictures: pd.DataFrame) -> pd.DataFrame:
    """Copies under other names, since the manifest has no picture twice."""
    return pictures.assign(**{IMAGE: [joined(COPIES, name) for name in pictures[IMAGE]], ITEM: ""})


def _rows(pictures: pd.DataFrame, domain: Domain, meta_domain: MetaDomain, split: Split) -> pd.DataFrame:
    labels = {DOMAIN: str(domain), META_DOMAIN: str(meta_domain), SPLIT: str(split)}
    return pictures[[IMAGE, ITEM, CATEGORY]].assign(**labels)
