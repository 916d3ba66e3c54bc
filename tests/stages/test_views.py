"""The look at street views, through the command."""

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.base.names import MANIFEST_FILE


def test_a_sheet_of_pictures_and_their_views(finished, tmp_path):
    chain = finished.copy(tmp_path)
    said = chain.succeed("views --pictures 3 --views 2 --side 32")
    with Image.open(chain.folder / "metrics/views.png") as sheet:
        assert sheet.size == (2 * 16 + 5 * 36 + 4, 2 * 16 + 3 * 36 - 4)
        first = np.asarray(sheet)
    assert "3 pictures with 2 views each of street, own_ground" in said
    chain.succeed("views --pictures 3 --views 2 --side 32")
    assert (np.asarray(Image.open(chain.folder / "metrics/views.png")) == first).all()


def test_mistakes(finished, tmp_path):
    chain = finished.copy(tmp_path)
    chain.fails("views --part source_test", "--part: source_test has no shop pictures")
    table = pd.read_parquet(chain.folder / MANIFEST_FILE)
    shop = table[(table["meta_domain"] == "target") | (table["domain"] == "shop")]
    shop.to_parquet(chain.folder / MANIFEST_FILE, index=False)
    assert "1 views each of own_ground" in chain.succeed("views --pictures 1 --views 1"), "no photos, no streets"
    chain.change({"views.kinds": ["street"]}).fails("views", "views.kinds: the source has no consumer pictures")
