"""A small table, and a folder of its pictures."""

import pandas as pd
import pytest
from PIL import Image
from support.tables import COLUMNS, ROWS


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=COLUMNS)


@pytest.fixture
def boxed(table) -> pd.DataFrame:
    """The first row has a box that reaches two pixels below a picture of 20 x 10."""
    boxes = pd.DataFrame([(2.0, 4.0, 10.0, 8.0)], columns=list("xywh"))
    return table.join(boxes)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "raw/d"
    for position, (name, *_) in enumerate(ROWS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 10), (position, 0, 0)).save(folder / name)
    return folder
