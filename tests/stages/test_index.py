"""The index of a chain: what it holds, how it is searched, and how it changes."""

import json
import shutil
from contextlib import chdir
from threading import Event, Thread

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.chain import Chain

from pipeline.base.errors import UserError
from pipeline.retrieval.index.folder import changing, read_index, stamp
from pipeline.retrieval.searcher import Searcher

GALLERY = 34  # shop pictures of the tiny world's test part


@pytest.fixture
def searcher(finished):
    with chdir(finished.folder):
        yield Searcher.load("data/index", device="cpu")


def manifest(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.folder / "data/manifest.parquet")


def photo(chain: Chain, split: str = "query", place: int = 0):
    rows = manifest(chain).query("meta_domain == 'target' and split == @split")
    return rows.index[place], chain.folder / "data/raw" / rows.image.iloc[place]


def found(chain: Chain, *options: str) -> list[dict]:
    done = chain.run("search", *options, "--json", "--device", "cpu")
    assert done.code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows_of(answer) -> list[int]:
    hits = answer["hits"] if isinstance(answer, dict) else answer.hits
    return [hit["row"] if isinstance(hit, dict) else hit.row for hit in hits]


def test_the_gallery_is_indexed_by_both_models(finished, searcher):
    table = manifest(finished)
    gallery = table.query("meta_domain == 'target' and split == 'gallery'")
    assert len(gallery) == GALLERY
    assert searcher.index.ids.tolist() == gallery.index.tolist()
    assert searcher.models == ("baseline", "adapted")
    assert searcher.has_colour
    report = json.loads((finished.folder / "metrics/index.json").read_text())
    for model in searcher.models:
        assert report[model]["engine"] == "flat"
        assert report[model]["recall@10"] == 1
        assert report[model]["bytes_per_vector"] == 4 * 16
        assert report[model]["ms_per_query"] > 0


def test_the_same_inputs_give_the_same_bytes(chain):
    before = chain.outputs()
    chain.succeed("index")
    after = chain.outputs()
    assert {name for name in before if "data/index" in str(name)}
    assert {name for name in before if before[name] != after[name] and "metrics/index.json" not in str(name)} == set()


def test_a_picture_of_the_gallery_finds_itself(finished, searcher):
    for place in (0, 5):
        row, file = photo(finished, "gallery", place)
        for model in searcher.models:
            first = searcher.search(file, 3, model=model).hits[0]
            assert first.row == row
            assert first.score == pytest.approx(1, abs=1e-5)
            assert first.deep == pytest.approx(0, abs=1e-5)


def test_every_way_to_hand_over_a_picture_gives_the_same_answer(finished, searcher):
    _, file = photo(finished)
    wanted = rows_of(searcher.search(file))
    image = Image.open(file)
    for handed in (str(file), file.read_bytes(), image, np.asarray(image)):
        assert rows_of(searcher.search(handed)) == wanted


def test_answers_are_those_of_evaluate(finished, searcher):
    row, file = photo(finished)
    import h5py

    with h5py.File(finished.folder / "data/features/target_test.h5") as features:
        stored, places = features["embedding"][()], features["row"][()]
    query = stored[places == row][0]
    gallery = np.isin(places, searcher.index.ids)
    similar = stored[gallery] @ query
    order = np.lexsort((places[gallery], -similar))[:10]
    answer = searcher.search(file, model="baseline")
    assert rows_of(answer) == places[gallery][order].tolist()
    np.testing.assert_allclose([hit.score for hit in answer.hits], similar[order], atol=1e-5)


def test_like_is_a_search_with_the_picture_less_itself(finished, searcher):
    row, file = photo(finished, "gallery")
    assert rows_of(searcher.like(row, 5)) == [one for one in rows_of(searcher.search(file, 6)) if one != row][:5]
    assert (
        rows_of(searcher.like(row, 5, colour_weight=0.3))
        == [one for one in rows_of(searcher.search(file, 6, colour_weight=0.3)) if one != row][:5]
    )


def test_category_colour_and_box_change_the_answer(finished, searcher):
    _, file = photo(finished)
    plain = searcher.search(file, 34)
    assert plain.searched == GALLERY
    assert sorted(rows_of(plain)) == searcher.index.ids.tolist()
    hats = searcher.search(file, 34, category="hats")
    assert {hit.category for hit in hats.hits} == {"hats"}
    assert rows_of(hats) == [hit.row for hit in plain.hits if hit.category == "hats"]
    coloured = searcher.search(file, 34, colour_weight=1.0)
    assert rows_of(coloured) != rows_of(plain)
    for hit in coloured.hits:
        assert hit.score == pytest.approx(1 - hit.deep - hit.colour)
    part = searcher.search(file, 34, box=(0, 0, 15, 15))
    assert [hit.score for hit in part.hits] != [hit.score for hit in plain.hits]
    assert plain.hits[0].colour is None


def test_k_beyond_the_rows_gives_all(searcher, finished):
    assert len(searcher.search(photo(finished)[1], 1000).hits) == GALLERY


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"k": 0}, "k: 0"),
        ({"category": "boats"}, "known: bags, dresses"),
        ({"model": "best"}, "known: baseline, adapted"),
        ({"colour_weight": -1.0}, "no weight"),
        ({"colour_weight": float("nan")}, "no weight"),
        ({"colour_weight": 1e308}, "no weight"),
        ({"box": (1e308, 0, 1e308, 5)}, "has nothing of the picture"),
        ({"box": (90, 90, 5, 5)}, "has nothing of the picture of 40x40 pixels"),
    ],
)
def test_what_cannot_be_answered_is_said(searcher, finished, asked, says):
    with pytest.raises(UserError, match=says):
        searcher.search(photo(finished)[1], **asked)


def test_threads_share_a_searcher(finished, searcher):
    files = [photo(finished, "query", place)[1] for place in range(8)]
    wanted, got = [rows_of(searcher.search(file)) for file in files], [None] * 32

    def ask(place: int) -> None:
        got[place] = rows_of(searcher.search(files[place % 8]))

    threads = [Thread(target=ask, args=(place,)) for place in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == wanted * 4


def test_command_prints_a_table_json_and_a_sheet(finished, tmp_path):
    _, file = photo(finished)
    done = finished.run("search", str(file), "-k", "4", "--device", "cpu", "--sheet", str(tmp_path / "sheet.png"))
    lines = done.stdout.splitlines()
    assert done.code == 0
    assert lines[1].split() == ["score", "item", "category", "link"]
    assert len(lines[2:]) >= 4
    assert Image.open(tmp_path / "sheet.png").size[0] > 1000
    both = found(finished, str(file), "--model", "baseline", "--model", "adapted", "-k", "2")
    assert [answer["model"] for answer in both] == ["baseline", "adapted"]
    assert f"{both[1]['hits'][0]['score']:.4f}" in lines[2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["nowhere.jpg"], "nowhere.jpg: no such file"),
        (["params.yaml"], "not a picture in a known format"),
        (["PHOTO", "--box", "1,2"], "is not x,y,w,h"),
        (["PHOTO", "--box", "1,2,0,4"], "has no size"),
        (["PHOTO", "--index", "data/none"], "no index here; run `dvc repro index`"),
        (["PHOTO", "PHOTO", "--sheet", "out.png"], "one picture for one photo"),
    ],
)
def test_command_says_what_is_wrong(finished, options, says):
    file = str(photo(finished)[1])
    finished.run("search", *(file if one == "PHOTO" else one for one in options)).check_message("search", says)


def test_an_index_of_another_model(chain):
    config = chain.folder / "data/models/adapter/adapted/model.json"
    config.write_text(config.read_text() + "\n")
    chain.run("search", str(photo(chain)[1])).check_message("search", "an index of model", "run `dvc repro index`")
    shutil.rmtree(chain.folder / "data/models/backbone")
    chain.run("search", str(photo(chain)[1])).check_message("search", "no such model")
    with chdir(chain.folder):  # what needs no network still works
        searcher = Searcher.load("data/index")
        assert len(searcher.like(int(searcher.index.ids[0]), 5).hits) == 5


@pytest.mark.parametrize("file", ["index.json", "rows.parquet", "adapted/index.faiss", "baseline/ids.npy"])
def test_a_damaged_index(chain, file):
    path = chain.folder / "data/index" / file
    path.write_bytes(path.read_bytes()[:20])
    chain.run("search", str(photo(chain)[1])).check_message("search", "data/index", "run `dvc repro index`")


def test_pictures_that_are_gone_are_still_found(chain, tmp_path):
    with chdir(chain.folder):
        row, file = photo(chain, "gallery")
        moved = tmp_path / "moved.jpg"
        file.rename(moved)
        done = chain.run("search", str(moved), "-k", "3", "--device", "cpu", "--sheet", str(tmp_path / "sheet.png"))
        assert done.code == 0, done.stderr
        assert rows_of(found(chain, str(moved), "-k", "1")[0]) == [row]


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({"index.part": "target_train", "index.models": ["control"]}, 30),
        ({"index.part": "source_train", "index.domain": "any"}, 166),
        ({"index.part": "source_train", "index.domain": "consumer", "index.dataset": "atelier"}, None),
    ],
)
def test_any_part_can_be_indexed(chain, changes, rows):
    chain.change(changes).succeed("index")
    index = read_index(chain.folder / "data/index")
    table = manifest(chain).loc[index.ids]
    part, domain = changes["index.part"], changes.get("index.domain", "shop")
    assert set(table.meta_domain + "_" + table.split.replace("val", "train")) == {part}
    assert domain == "any" or set(table.domain) == {domain}
    assert rows in (None, len(index))


def test_nothing_to_index(chain):
    chain.change({"index.dataset": "other"})
    chain.fails("index", "no shop pictures of the set other to index in target_test")
    chain.change({"index.dataset": None, "index.part": "source_test"})
    chain.fails("index", "no shop pictures to index in source_test")


def test_lists_find_what_flat_finds_and_k_means_loses_some(chain):
    files = [str(photo(chain, "query", place)[1]) for place in range(12)]
    wanted = [rows_of(answer) for answer in found(chain, *files)]
    chain.change({"index.engine": "ivf", "index.lists": 4, "index.probes": 4}).succeed("index")
    assert [rows_of(answer) for answer in found(chain, *files)] == wanted
    chain.change({"index.engine": "kmeans", "index.lists": 6, "index.probes": None}).succeed("index")
    report = json.loads((chain.folder / "metrics/index.json").read_text())["adapted"]
    assert (report["lists"], report["probes"]) == (6, 1)
    assert report["recall@10"] < 1
    answers = [rows_of(answer) for answer in found(chain, *files)]
    assert answers != wanted
    assert all(len(answer) < GALLERY for answer in answers)


def test_without_colours_a_weight_is_refused(chain):
    chain.change({"extract.colour": "none"}).succeed("extract", "index")
    said = chain.run("search", str(photo(chain)[1]), "--colour", "0.1")
    said.check_message("search", "has no colour features", "extract.colour")
    assert not (chain.folder / "data/index/colour").exists()


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
    first = found(chain, str(file), "-k", "1")[0]["hits"][0]
    assert (first["item"], first["category"], first["dataset"]) == ("new0", "hats", "shop")
    assert first["score"] == pytest.approx(1, abs=1e-5)
    again = chain.run("catalogue", "add", str(shop), "--device", "cpu")
    assert "3 of them in place of former ones" in again.stdout
    assert len(read_index(index)) == GALLERY + 3
    # Numbers are not used twice.
    second = found(chain, str(file), "-k", "1")[0]["hits"][0]
    assert second["row"] > first["row"]
    assert "1 pictures removed" in chain.run("catalogue", "remove", "new0").stdout
    assert found(chain, str(file), "-k", "1")[0]["hits"][0]["item"] != "new0"
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
    assert set(held.query("folder.str.endswith('shop') and image == 'hats/new0.jpg'").item) <= {"n1"}


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


def test_more_lists_than_rows(chain):
    chain.change({"index.engine": "ivf", "index.lists": 100, "index.probes": 500}).succeed("index")
    report = json.loads((chain.folder / "metrics/index.json").read_text())["adapted"]
    assert report["lists"] == report["probes"] == GALLERY


def test_unreadable_photos_do_not_end_a_search(chain, tmp_path):
    (tmp_path / "broken.jpg").write_text("no picture")
    done = chain.run("search", str(tmp_path / "broken.jpg"), str(photo(chain)[1]), "--json", "--device", "cpu")
    assert done.code == 2
    assert done.stderr.count("\n") == 1
    assert len(done.stdout.splitlines()) == 1


def test_a_table_brings_links(chain, shop):
    table = shop.parent / "shop.csv"
    content = table.read_text().replace("hats/", "shop/hats/")
    table.write_text(content)
    assert "2 pictures added" in chain.run("catalogue", "add", str(table), "--device", "cpu").stdout
    hit = found(chain, str(shop / "hats/new0.jpg"), "-k", "1")[0]["hits"][0]
    assert (hit["link"], hit["category"]) == ("https://shop.example/n0", "caps")


def test_a_changed_index_gives_the_answers_of_one_that_is_built_anew(chain, shop):
    """All of the gallery added to an index of other pictures, which are then removed."""
    files = [str(photo(chain, "query", place)[1]) for place in range(6)]
    table = manifest(chain).query("meta_domain == 'target' and split == 'gallery'")
    wanted = [
        [(hit["image"].split("/", 1)[1], round(hit["score"], 5)) for hit in one["hits"]] for one in found(chain, *files)
    ]
    chain.change({"index.part": "target_train"}).succeed("index")
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
