"""One contact sheet a query: what each model found, a row a model."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, BOX, CATEGORY, IMAGE, ITEM, VALUE
from pipeline.evaluation.results import NEVER, RetrievalResult
from pipeline.images.decode import UnreadableImage, as_box, load_image
from pipeline.reporting.contact_sheet import TILE, ResultRow, contact_sheet, write_sheet


def write_sheets(
    folder: Path,
    what: str,
    *,
    queries: pd.DataFrame,
    gallery: pd.DataFrame,
    raw: Path,
    chosen: np.ndarray,
    ranked: Mapping[str, np.ndarray],
    results: Mapping[str, RetrievalResult],
    label: Callable[[str], str] = str,
) -> None:
    """Write `<what>_NNNNNN.png` (its manifest row) into `folder` for the `chosen` positions among `queries`.

    `queries`, `gallery`: manifest rows; `ranked`: model -> int64 gallery positions, 10 for each of the `chosen`, -1
    beyond a short gallery;
    `results`: model -> its evaluation, for the rank of the first right picture; `label`: what stands for a name.
    Where rows are for attributes (columns attribute and value) the value is what is right, pictures have theirs below
    them, and the files are `<what>_NNNNNN_<attribute>_<value>.png`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {model: dict(zip(result.query, result.first_rank, strict=True)) for model, result in results.items()}
    wanted, heading = (VALUE, (ATTRIBUTE, VALUE)) if VALUE in queries else (ITEM, (CATEGORY, ITEM))
    for sheet_number, position in enumerate(chosen.tolist()):
        query = queries.iloc[position]
        rows = []
        for model, best in ranked.items():
            found = gallery.iloc[[place for place in best[sheet_number].tolist() if place >= 0]]
            pictures = [(_picture(raw, entry), entry[wanted] == query[wanted]) for _, entry in found.iterrows()]
            texts = [label(value) for value in found[VALUE]] if wanted == VALUE else []
            rows.append(ResultRow(model, pictures, _note(int(first[model][position])), texts))
        sheet = contact_sheet(_picture(raw, query), "\n".join(label(query[name]) for name in heading), rows)
        write_sheet(folder / f"{what}_{query.name:06d}{_suffix(query) if wanted == VALUE else ''}.png", sheet)


def _note(rank: int) -> str:
    return "nothing is right" if rank == NEVER else f"first right rank: {rank}"


def _suffix(query: pd.Series) -> str:
    """The attribute and the value of the query, as a part of a file's name."""
    return "".join("_" + re.sub(r"[^\w.-]+", "-", query[name])[:40] for name in (ATTRIBUTE, VALUE))


def _picture(raw: Path, row: pd.Series) -> Image.Image:
    box = row[list(BOX)].to_numpy(dtype=np.float64)
    path = raw / row[IMAGE]
    try:
        return load_image(path, as_box(box), target_side=2 * TILE)
    except UnreadableImage as error:
        mend = error.mend or "run `dvc repro prepare` to check the pictures again"
        raise UserError(f"{path}: {error}; {mend}") from error
