"""Searching with photos: the object behind all of it, and the command."""

import shutil
from contextlib import chdir
from io import BytesIO
from threading import Thread

import numpy as np
import pytest
from PIL import ExifTags, Image
from support.searching import GALLERY, found, photo, rows_of

from pipeline.base.errors import UserError
from pipeline.images.decode import decode_image
from pipeline.retrieval.searcher import Searcher

PLAIN = "udma"  # sees a photo and a picture of a shop alike; others tell them apart, or mix views in


def test_a_picture_of_the_gallery_finds_itself(finished, searcher):
    for place in (0, 5):
        row, file = photo(finished, "gallery", place)
        for model in ("baseline", PLAIN):
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


def test_a_photo_that_its_exif_turns_is_turned_once(finished, searcher):
    """As a phone that was held upright saves it: another way in than out, and a note to turn it."""
    row, file = photo(finished, "gallery")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    with Image.open(file) as upright, BytesIO() as saved:
        upright.transpose(Image.Transpose.ROTATE_90).save(saved, "PNG", exif=exif)
        turned = saved.getvalue()
    for handed in (turned, Image.open(BytesIO(turned)), decode_image(turned)):
        first = searcher.search(handed, 1, model=PLAIN).hits[0]
        assert (first.row, first.score) == (row, pytest.approx(1, abs=1e-5))


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
    for weight in (0.0, 0.3):
        common = {"model": PLAIN, "colour_weight": weight}
        searched = rows_of(searcher.search(file, 6, **common))
        assert rows_of(searcher.like(row, 5, **common)) == [one for one in searched if one != row][:5]


def test_category_colour_and_box_change_the_answer(finished, searcher):
    _, file = photo(finished)
    plain = searcher.search(file, GALLERY)
    assert plain.searched == GALLERY
    assert sorted(rows_of(plain)) == searcher.index.ids.tolist()
    hats = searcher.search(file, GALLERY, category="hats")
    assert {hit.category for hit in hats.hits} == {"hats"}
    assert rows_of(hats) == [hit.row for hit in plain.hits if hit.category == "hats"]
    coloured = searcher.search(file, GALLERY, colour_weight=1.0)
    assert rows_of(coloured) != rows_of(plain)
    for hit in coloured.hits:
        assert hit.score == pytest.approx(1 - hit.deep - hit.colour)
    part = searcher.search(file, GALLERY, box=(0, 0, 15, 15))
    assert [hit.score for hit in part.hits] != [hit.score for hit in plain.hits]
    assert plain.hits[0].colour is None


def test_k_beyond_the_rows_gives_all(searcher, finished):
    assert len(searcher.search(photo(finished)[1], 1000).hits) == GALLERY


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"k": 0}, "k: 0"),
        ({"category": "boats"}, "known: bags, dresses"),
        ({"model": "best"}, "known: baseline, udma, viewed"),
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
    both = found(finished, str(file), "--model", "baseline", "--model", "viewed", "-k", "2")
    assert [answer["model"] for answer in both] == ["baseline", "viewed"]
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
    config = chain.folder / "data/models/adapter/viewed/model.json"
    config.write_text(config.read_text() + "\n")
    chain.run("search", str(photo(chain)[1])).check_message("search", "an index of model", "run `dvc repro index`")
    shutil.rmtree(chain.folder / "data/models/backbone")
    chain.run("search", str(photo(chain)[1])).check_message("search", "no such model")
    with chdir(chain.folder):  # what needs no network still works
        searcher = Searcher.load("data/index")
        assert len(searcher.like(int(searcher.index.ids[0]), 5).hits) == 5


@pytest.mark.parametrize("file", ["index.json", "rows.parquet", "viewed/index.faiss", "baseline/ids.npy"])
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
        assert rows_of(found(chain, str(moved), "-k", "1", "--model", PLAIN)[0]) == [row]


def test_unreadable_photos_do_not_end_a_search(chain, tmp_path):
    (tmp_path / "broken.jpg").write_text("no picture")
    done = chain.run("search", str(tmp_path / "broken.jpg"), str(photo(chain)[1]), "--json", "--device", "cpu")
    assert done.code == 2
    assert done.stderr.count("\n") == 1
    assert len(done.stdout.splitlines()) == 1


def test_without_colours_a_weight_is_refused(chain):
    chain.change({"extract.colour": "none"}).succeed("extract", "index")
    said = chain.run("search", str(photo(chain)[1]), "--colour", "0.1")
    said.check_message("search", "has no colour features", "extract.colour")
    assert not (chain.folder / "data/index/colour").exists()
