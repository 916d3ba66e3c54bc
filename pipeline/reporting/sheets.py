"""One contact sheet a query: what each model found, a row a model."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, BOX, CATEGORY, IMAGE, ITEM, VALUE
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

    `queries`, `gallery`: manifest rows; what has the query's item is right. Where they have the columns attribute and
    value, what has its value is, values stand below the pictures, and the name ends in the query's position too, since
    a row may be several queries. `ranked`: model -> int64 gallery positions, 10 for each of the `chosen`, -1 beyond a
    short gallery;
    `results`: model -> its evaluation, for the rank of the first right picture; `label`: what stands for a name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    group, sought = (ATTRIBUTE, VALUE) if ATTRIBUTE in queries else (CATEGORY, ITEM)
    first = {model: dict(zip(result.query, result.first_rank, strict=True)) for model, result in results.items()}
    for sheet_number, position in enumerate(chosen.tolist()):
        query = queries.iloc[position]
        rows = []
        for model, best in ranked.items():
            found = gallery.iloc[[place for place in best[sheet_number].tolist() if place >= 0]]
            pictures = [(_picture(raw, entry), entry[sought] == query[sought]) for _, entry in found.iterrows()]
            rank, texts = int(first[model][position]), found[VALUE] if sought == VALUE else ()
            note = f"first right rank: {rank}" if rank <= len(gallery) else "nothing right to find"
            rows.append(ResultRow(model, pictures, note, [label(text) for text in texts]))
        sheet = contact_sheet(_picture(raw, query), f"{label(query[group])}\n{label(query[sought])}", rows)
        entry = f"_{position:06d}" if sought == VALUE else ""
        write_sheet(folder / f"{what}_{query.name:06d}{entry}.png", sheet)


def _picture(raw: Path, row: pd.Series) -> Image.Image:
    box = row[list(BOX)].to_numpy(dtype=np.float64)
    path = raw / row[IMAGE]
    try:
        return load_image(path, as_box(box), target_side=2 * TILE)
    except UnreadableImage as error:
        mend = error.mend or "run `dvc repro prepare` to check the pictures again"
        raise UserError(f"{path}: {error}; {mend}") from error
