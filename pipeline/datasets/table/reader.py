"""Any table of pictures: a CSV or parquet file with the manifest's columns, beside a folder of pictures."""

import posixpath
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import pandas as pd
from pydantic import BeforeValidator, Field

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, DATASET, IMAGE, ROW, VALUE
from pipeline.base.params import Section
from pipeline.datasets._shared.fetching import ArchiveParams, copy_lists, copy_pictures, fetch_archives
from pipeline.datasets._shared.paths import inside, joined
from pipeline.datasets._shared.tables import read_boxes, read_text_table
from pipeline.table.attributes import no_attributes
from pipeline.table.manifest import OPTIONAL, REQUIRED

PARAMS = "pipeline/datasets/table/params.yaml"
BETWEEN = "|"  # several values of an attribute
GUIDE = f"put your table and its pictures there, and name them in {PARAMS}: table, images"


def _as_texts(value: Any) -> Any:
    """YAML reads an unquoted 204 as a number: in a table of texts it is "204"."""
    values = value if isinstance(value, list) else [value]
    return [str(one) if type(one) is int else one for one in values]


class Params(Section):
    """Paths are relative to the set's folder, the `image` column to `images`; columns go by our names."""

    archives: list[ArchiveParams]
    table: str
    separator: Annotated[str, Field(min_length=1, max_length=1)]
    images: str
    rename: dict[str, str]
    constants: dict[str, str]
    attributes: list[str]
    where: dict[str, Annotated[list[str], BeforeValidator(_as_texts)]]


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Copy the table and the pictures of the rows that `where` lets through.

    Raises UserError for a missing table, when no picture is found, and for whatever `read_table` refuses.
    """
    del seed  # nothing is drawn
    fetch_archives(params.archives, source, out, downloads)
    copy_lists(source, out, [inside(params.table, f"{PARAMS}:table")], GUIDE)
    copy_pictures(source, out, read_table(out, params)[IMAGE], GUIDE)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The rows that `where` lets through, in the order of the file, as texts; boxes are float, NaN where empty.

    Raises UserError for a file that cannot be read, unknown or missing columns, boxes that are no numbers, paths that
    leave the folder, and when no row is left.
    """
    path, table = _read(root, params)
    missing = [column for column in REQUIRED if column not in table]
    if missing:
        raise UserError(
            f"{path}: no column {', '.join(missing)} among {', '.join(table)}; name the column that holds it in "
            f"{PARAMS}:rename, or give one value for all rows in its constants"
        )
    boxes = read_boxes(table, path)
    kept = [*REQUIRED, *(column for column in (DATASET, *OPTIONAL) if column in table)]
    folder = inside(params.images, f"{PARAMS}:images")
    _check_relative(table[IMAGE], path, folder)
    images = [inside(joined(folder, name), f"{path}: image") for name in table[IMAGE]]
    return table[kept].assign(**{IMAGE: images, **boxes}).reset_index(drop=True)


def read_attributes(root: Path, params: Params, table: pd.DataFrame) -> pd.DataFrame:
    """The values of the columns that `attributes` names, picture by picture, in their order; an empty field has none.

    Raises UserError for a field with an empty value among several, or with one twice.
    """
    path, rows = _read(root, params)
    columns = [pd.DataFrame({ROW: table.index, ATTRIBUTE: name, VALUE: rows[name]}) for name in params.attributes]
    told = pd.concat(columns or [no_attributes()]).sort_values(ROW, kind="stable")
    told = told[told[VALUE].str.strip() != ""]
    told = told.assign(**{VALUE: told[VALUE].str.split(BETWEEN)}).explode(VALUE, ignore_index=True)
    told[VALUE] = told[VALUE].str.strip()
    for wrong, problem in ((told[VALUE] == "", "has an empty value"), (told.duplicated(), "has a value twice")):
        if wrong.any():
            row, name, value = told[wrong].iloc[0]
            raise UserError(f"{path}: {name} of {table[IMAGE][row]}: {rows[name].iloc[row]!r} {problem} ({value!r})")
    return told


def _read(root: Path, params: Params) -> tuple[Path, pd.DataFrame]:
    """The file, and its rows that `where` lets through, by our names."""
    name = inside(params.table, f"{PARAMS}:table")
    path, table = root / name, read_text_table(root, name, params.separator, f"{PARAMS}:separator")
    table = _with_constants(_renamed(table, params.rename, path), params.constants, path)
    _known(params.attributes, table, f"{PARAMS}:attributes", path)
    return path, _filtered(table, params.where, path)


def _check_relative(images: pd.Series, path: Path, folder: str) -> None:
    """Raise UserError about absolute paths in any system's notation, saying what to strip of them."""
    absolute = images[images.str.match(r"~?[/\\]|[A-Za-z]:[/\\]")]
    if len(absolute):
        parents = [PurePosixPath(name.replace("\\", "/")).parent.as_posix() for name in absolute]
        alike = len({name.startswith("/") for name in parents}) == 1
        common = posixpath.commonpath(parents).rstrip("/") if alike else ""
        strip = repr(absolute.iloc[0][: len(common) + 1]) if common else "what leads to that folder"
        raise UserError(
            f"{path}: image {absolute.iloc[0]!r} leads out of its folder, an absolute path like {len(absolute)} of "
            f"{len(images)}; write them as seen from {path.parent / folder}, where they belong: perhaps without {strip}"
        )


def _renamed(table: pd.DataFrame, rename: dict[str, str], path: Path) -> pd.DataFrame:
    _known(rename, table, f"{PARAMS}:rename", path)
    table = table.rename(columns=rename)
    doubled = sorted(set(table.columns[table.columns.duplicated()]))
    if doubled:
        raise UserError(f"{path}: two columns are called {', '.join(doubled)}; mend {PARAMS}:rename")
    return table


def _with_constants(table: pd.DataFrame, constants: dict[str, str], path: Path) -> pd.DataFrame:
    taken = [column for column in constants if column in table]
    if taken:
        raise UserError(f"{PARAMS}:constants: {path} has a column {', '.join(taken)} already; drop it here")
    unknown = [column for column in constants if column not in REQUIRED]
    if unknown:
        raise UserError(f"{PARAMS}:constants: unknown column {unknown[0]!r}; known: {', '.join(REQUIRED)}")
    return table.assign(**constants)


def _filtered(table: pd.DataFrame, where: dict[str, list[str]], path: Path) -> pd.DataFrame:
    _known(where, table, f"{PARAMS}:where", path)
    for column, allowed in where.items():
        table = table[table[column].isin(allowed)]
    if table.empty:
        raise UserError(f"{path}: no row {f'passes {PARAMS}:where' if where else 'in it'}")
    return table


def _known(columns: Iterable[str], table: pd.DataFrame, param: str, path: Path) -> None:
    unknown = [column for column in columns if column not in table]
    if unknown:
        raise UserError(f"{param}: {path} has no column {unknown[0]!r}; its columns: {', '.join(table)}")
