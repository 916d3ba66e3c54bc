"""Pictures come into an index and go from it."""

import shutil
from threading import Event, Thread

import pandas as pd
import pytest
from support.searching import GALLERY, found, manifest, photo

from pipeline.retrieval.index.folder import changing, read_index, stamp

PLAIN = "udma"  # sees a photo and a picture of a shop alike


@pytest.fixture
def shop(finished, tmp_path):
    """A folder of new pictures in folders of categories, one of them unreadable, and a table of others with links."""
    folder = tmp_path / "shop"
    (folder / "hats").mkdir(parents=True)
    for place in range(3):
        shutil.copyfile(photo(finished, "query", place)[1], folder / f"hats/new{place}.jpg")
    (folder / "hats/broken.jpg").write_text("no picture")
    rows = [("hats/new0.jpg", "n0", "caps", "https://shop.example/n0"), ("hats/new1.jpg", "n1", "caps", "")]
    pd.DataFrame(rows, columns=["image", "item", "category", "link"]).to_csv(tmp_path / "shop.csv", index=False)
    return folder


@pytest.mark.parametrize("engine", ["flat", "ivf"])
def test_pictures_come_and_go(chain, shop, engine):
    chain.change({"index.engine": engine, "index.lists": 3, "index.probes": 3}).succeed("index")
    file, index = shop / "hats/new0.jpg", chain.folder / "data/index"
    before = stamp(index)
    said = chain.run("catalogue", "add", str(shop), "--device", "cpu")
    assert "3 pictures added to data/index, 0 of them in place of former ones" in said.stdout, said
    assert "left out" in said.stdout
    assert stamp(index) != before
    first = found(chain, str(file), "-k", "1", "--model", PLAIN)[0]["hits"][0]
    assert (first["item"], first["category"], first["dataset"]) == ("new0", "hats", "shop")
    assert first["score"] == pytest.approx(1, abs=1e-5)
    again = chain.run("catalogue", "add", str(shop), "--device", "cpu")
    assert "3 of them in place of former ones" in again.stdout
    assert len(read_index(index)) == GALLERY + 3
    # Numbers are not used twice.
    second = found(chain, str(file), "-k", "1", "--model", PLAIN)[0]["hits"][0]
    assert second["row"] > first["row"]
    assert "1 pictures removed" in chain.run("catalogue", "remove", "new0").stdout
    assert found(chain, str(file), "-k", "1", "--model", PLAIN)[0]["hits"][0]["item"] != "new0"
    chain.run("catalogue", "remove", "new0").check_message("catalogue", "item 'new0': not in the index")


def test_a_picture_is_the_same_by_whatever_way_it_is_named(chain, shop):
    """Below another folder, from a table, twice in one, and when the chain brought it."""
    index = chain.folder / "data/index"
    assert "3 pictures added" in chain.run("catalogue", "add", str(shop)).stdout
    assert "3 of them in place" in chain.run("catalogue", "add", str(shop / "hats")).stdout
    rows = "".join(f"shop/hats/new0.jpg,n{number},caps\n" for number in range(2))
    (shop.parent / "twice.csv").write_text("image,item,category\n" + rows)
    assert (
        "1 pictures added to data/index, 1 of them in place"
        in chain.run("catalogue", "add", str(shop.parent / "twice.csv")).stdout
    )
    table = manifest(chain).query("meta_domain == 'target' and split == 'gallery'").head(5)
    listing = chain.folder / "data/raw/listing.csv"
    table[["image", "item", "category"]].assign(link="https://shop.example").to_csv(listing, index=False)
    assert "5 of them in place" in chain.run("catalogue", "add", str(listing)).stdout
    held = read_index(index).table
    assert len(held) == GALLERY + 3
    assert (held.link == "https://shop.example").sum() == 5
    assert held[held.image.str.endswith("hats/new0.jpg")]["item"].tolist() == ["n1"], "the last of the two rows"


def test_a_writer_that_was_killed_leaves_the_former_index(chain, shop):
    index = chain.folder / "data/index"
    index.rename(index.with_name(".index.1.former"))
    (index.with_name(".index.2.part")).mkdir()
    assert "3 pictures added" in chain.run("catalogue", "add", str(shop)).stdout
    assert len(read_index(index)) == GALLERY + 3
    assert not list(index.parent.glob(".index.*.*"))


def test_one_writer_at_a_time(chain, shop):
    with changing(chain.folder / "data/index"):
        chain.run("catalogue", "add", str(shop)).check_message("catalogue", "another process changes the index")
        chain.fails("index", "another process changes the index")


def test_a_table_brings_links(chain, shop):
    table = shop.parent / "shop.csv"
    content = table.read_text().replace("hats/", "shop/hats/")
    table.write_text(content)
    assert "2 pictures added" in chain.run("catalogue", "add", str(table), "--device", "cpu").stdout
    hit = found(chain, str(shop / "hats/new0.jpg"), "-k", "1", "--model", PLAIN)[0]["hits"][0]
    assert (hit["link"], hit["category"]) == ("https://shop.example/n0", "caps")


def test_a_changed_index_gives_the_answers_of_one_that_is_built_anew(chain, shop):
    """All of the gallery added to an index of other pictures, which are then removed."""
    files = [str(photo(chain, "query", place)[1]) for place in range(6)]
    table = manifest(chain).query("meta_domain == 'target' and split == 'gallery'")
    wanted = [
        [(hit["image"].split("/", 1)[1], round(hit["score"], 5)) for hit in one["hits"]] for one in found(chain, *files)
    ]
    parts = ["source_train", "target_train", "target_test"]
    chain.change({"index.part": "target_train", "views.parts": parts}).succeed("draw", "index")
    former = read_index(chain.folder / "data/index").table["item"].unique()
    listing = chain.folder / "data/raw/atelier/listing.csv"
    table.assign(image=table.image.str.removeprefix("atelier/"))[["image", "item", "category"]].to_csv(
        listing, index=False
    )
    assert chain.run("catalogue", "add", str(listing), "--device", "cpu").code == 0
    assert chain.run("catalogue", "remove", *former).code == 0
    got = [[(hit["image"], round(hit["score"], 5)) for hit in one["hits"]] for one in found(chain, *files)]
    assert got == wanted


@pytest.mark.parametrize(
    ("path", "says"),
    [("nowhere", "no such table or folder"), ("data/none.csv", "no such table"), ("empty", "no pictures in it")],
)
def test_nothing_to_add(chain, path, says):
    (chain.folder / "empty").mkdir()
    chain.run("catalogue", "add", path).check_message("catalogue", says)


def test_an_index_is_read_while_it_is_swapped(chain, shop):
    index, done, failures = chain.folder / "data/index", Event(), []

    def read() -> None:
        while not done.is_set():
            try:
                assert len(read_index(index)) in (GALLERY, GALLERY + 3)
            except Exception as error:  # whatever it is
                failures.append(error)

    thread = Thread(target=read)
    thread.start()
    for _ in range(3):
        assert chain.run("catalogue", "add", str(shop), "--device", "cpu").code == 0
        assert chain.run("catalogue", "remove", "new0", "new1", "new2").code == 0
    done.set()
    thread.join()
    assert failures == []
