"""A sheet an example: of pictures that show an item, and of those that have a value of an attribute."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.base.names import BOX
from pipeline.evaluation.results import NEVER, RetrievalResult
from pipeline.reporting.contact_sheet import RIGHT, WRONG
from pipeline.reporting.sheets import write_sheets


@pytest.fixture
def pictures(tmp_path) -> pd.DataFrame:
    """Three pictures of an item, rows 4 to 6 of a manifest."""
    for number in range(3):
        Image.new("RGB", (20, 30), (80 * number, 0, 90)).save(tmp_path / f"{number}.png")
    files = [f"{number}.png" for number in range(3)]
    return pd.DataFrame({"image": files, "item": "i", "category": "hats", **dict.fromkeys(BOX, np.nan)}, [4, 5, 6])


def result(first_rank: list[int]) -> RetrievalResult:
    n = len(first_rank)
    zeros = np.zeros(n, np.int64)
    return RetrievalResult(np.arange(n), zeros, zeros, {}, np.array(first_rank), ("",), np.zeros(1, np.int64))


def drawn(tmp_path, queries: pd.DataFrame, gallery: pd.DataFrame, first_rank: list[int]) -> dict[str, np.ndarray]:
    ranked = {"baseline": np.tile(np.arange(len(gallery)), (len(queries), 1))}
    chosen = np.arange(len(queries))
    results = {"baseline": result(first_rank)}
    out = tmp_path / "sheets"
    write_sheets(
        out, "query", queries=queries, gallery=gallery, raw=tmp_path, chosen=chosen, ranked=ranked, results=results
    )
    return {file.name: np.asarray(Image.open(file)) for file in sorted(out.iterdir())}


def has(sheet: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((sheet == colour).all(axis=-1).any())


def test_right_is_what_shows_the_item(tmp_path, pictures):
    sheets = drawn(tmp_path, pictures[:1], pictures[1:], [1])
    assert list(sheets) == ["query_000004.png"]
    assert has(sheets["query_000004.png"], RIGHT)
    assert not has(sheets["query_000004.png"], WRONG)


def test_right_is_what_has_the_value_of_the_attribute(tmp_path, pictures):
    queries = pictures.iloc[[0, 0]].assign(attribute="neck", value=["deep", "high"])
    gallery = pictures.iloc[1:].assign(attribute="neck", value=["deep", "round"])
    sheets = drawn(tmp_path, queries, gallery, [1, NEVER])
    assert list(sheets) == ["query_000004_neck_deep.png", "query_000004_neck_high.png"]
    right, none = sheets.values()
    assert has(right, RIGHT)
    assert has(right, WRONG)
    assert not has(none, RIGHT)
    other = drawn(tmp_path, queries, gallery.assign(value=["deep", "square"]), [1, NEVER])
    assert (other["query_000004_neck_deep.png"] != right).any(), "values are written"
