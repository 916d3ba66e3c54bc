"""One contact sheet a query: what each model found, a row a model."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, IMAGE, ITEM
from pipeline.evaluation.results import RetrievalResult
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
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = {model: dict(zip(result.query, result.first_rank, strict=True)) for model, result in results.items()}
    for sheet_number, position in enumerate(chosen.tolist()):
        query = queries.iloc[position]
        rows = []
        for model, best in ranked.items():
            found = gallery.iloc[[place for place in best[sheet_number].tolist() if place >= 0]]
            pictures = [(_picture(raw, entry), entry[ITEM] == query[ITEM]) for _, entry in found.iterrows()]
            rows.append(ResultRow(model, pictures, f"first right rank: {int(first[model][position])}"))
        sheet = contact_sheet(_picture(raw, query), f"{label(query[CATEGORY])}\n{label(query[ITEM])}", rows)
        write_sheet(folder / f"{what}_{query.name:06d}.png", sheet)


def _picture(raw: Path, row: pd.Series) -> Image.Image:
    box = row[list(BOX)].to_numpy(dtype=np.float64)
    path = raw / row[IMAGE]
    try:
        return load_image(path, as_box(box), target_side=2 * TILE)
    except UnreadableImage as error:
        mend = error.mend or "run `dvc repro prepare` to check the pictures again"
        raise UserError(f"{path}: {error}; {mend}") from error
