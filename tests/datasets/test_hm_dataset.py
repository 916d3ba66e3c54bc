"""H&M: an article number tells its photo, and some photos do not exist."""

import shutil

import pytest
from support.golden import TESTS
from support.retrieval_sets import committed

from pipeline.base.errors import UserError
from pipeline.table.finish import finish_manifest

LIST = TESTS / "golden/mdfe/labels/tree/hm_personalized_fashion/articles.csv"


@pytest.fixture
def incoming(tmp_path, picture):
    """The set with all photos but one."""
    root = tmp_path / "incoming"
    root.mkdir()
    shutil.copyfile(LIST, root / "articles.csv")
    articles = [line.split(",")[0] for line in LIST.read_text().splitlines()[1:]]
    for article in articles[1:]:
        picture(root / f"images/{article[:3]}/{article}.jpg")
    return root


def test_missing_photos_are_counted_and_listed(incoming, fetched):
    root, table = fetched(incoming, "hm", **committed("hm"))
    assert table["item"][0] == "hm/0641908", "zeros before a number are part of it"
    options = {"min_side": 8, "workers": 1}
    manifest, report = finish_manifest(table, root, max_unreadable=0.1, **options)
    assert (len(manifest), report["unreadable"]["pictures"]) == (12, 1)
    assert report["unreadable"]["first"][0]["image"] == "images/064/0641908029.jpg"
    with pytest.raises(UserError, match="1 of 13 pictures cannot be used, where prepare.max_unreadable"):
        finish_manifest(table, root, max_unreadable=0.01, **options)


def test_a_missing_list_says_what_goes_where(incoming, fetched):
    (incoming / "articles.csv").unlink()
    with pytest.raises(UserError, match=r"articles.csv: no such file; put articles.csv, images/<first 3 digits>/ into"):
        fetched(incoming, "hm", **committed("hm"))
