"""An index by attributes: built, searched, changed; with a toy network that is asked for one beside the picture."""

import json
import shutil
from collections.abc import Iterator
from contextlib import chdir

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support import conditioned
from support.chain import Chain
from support.searching import GALLERY, found, manifest, photo, rows_of

from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTES_FILE, MODEL_FOLDER
from pipeline.features.store import open_features
from pipeline.models.kinds import KINDS, save_embedder
from pipeline.retrieval.index.folder import read_index
from pipeline.retrieval.searcher import Searcher
from pipeline.table.attributes import write_attributes

NETWORK = conditioned.AttributeNetwork
NAMES = ("colour", "neck/line", "hem")  # as a folder of the index is called, none of a folder, of nothing to be found
EVERY = "colour"


def look(_: NETWORK, inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Maps that rise to the right, boxes that reach beyond the picture."""
    n = len(inputs.images)
    return torch.arange(4.0).expand(n, 4, 4), torch.tensor([[8, -4, 36, 24]] * n)


def known_of(table: pd.DataFrame) -> pd.DataFrame:
    """Colours of all test pictures of the target, two of some; neck lines of those of even rows; hems of queries."""
    test = table.query("meta_domain == 'target' and split in ('query', 'gallery')")
    colours = [(row, EVERY, ("red", "blue")[row % 2], split) for row, split in test["split"].items()]
    second = [(row, EVERY, "green", split) for row, split in test["split"].items() if row % 4 == 0]
    necks = [(row, "neck/line", "deep", split) for row, split in test["split"].items() if row % 2 == 0]
    hems = [(row, "hem", "short", split) for row, split in test["split"].items() if split == "query"]
    known = pd.DataFrame(colours + second + necks + hems, columns=["row", "attribute", "value", "split"])
    return known.sort_values(["row", "attribute", "value"]).astype(dict.fromkeys(known.columns[1:], "str"))


@pytest.fixture(scope="module")
def built(finished, tmp_path_factory) -> Iterator[Chain]:
    """The chain with the index of such a network; only to be looked at."""
    chain = finished.copy(tmp_path_factory.mktemp("likes"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, NETWORK.kind, NETWORK)
        patch.setattr(NETWORK, "attention", look, raising=False)
        save_embedder(chain.folder / MODEL_FOLDER, conditioned.attribute_network(NAMES))
        write_attributes(chain.folder / ATTRIBUTES_FILE, known_of(manifest(chain)))
        chain.succeed("extract", "draw", "cluster", "weight", "adapt")
        said = chain.run("index").stdout
        assert "index: by the baseline alone: the model embeds a picture for an attribute" in said
        assert "hem: no pictures with features of it; the index is not by hem" in said
        yield chain


@pytest.fixture
def steered(built, tmp_path) -> Chain:
    """A copy to spoil."""
    return built.copy(tmp_path / "chain")


@pytest.fixture
def likes(built) -> Iterator[Searcher]:
    with chdir(built.folder):
        yield Searcher.load("data/index", device="cpu", warm=True)


def test_an_attribute_has_an_engine_of_the_pictures_with_features_of_it(built, likes):
    gallery = manifest(built).query("meta_domain == 'target' and split == 'gallery'").index.to_numpy()
    assert likes.index.ids.tolist() == gallery.tolist()
    assert (likes.models, likes.attributes, likes.has_colour) == (("baseline",), (EVERY, "neck/line"), False)
    assert likes.index.engines[EVERY].ids.tolist() == gallery.tolist()
    even = gallery[gallery % 2 == 0]
    assert likes.index.engines["neck/line"].ids.tolist() == even.tolist()
    assert likes.attributes_of(int(even[0])) == (EVERY, "neck/line")
    odd = gallery[gallery % 2 == 1]
    assert likes.attributes_of(int(odd[0])) == (EVERY,)
    features = open_features(built.folder / "data/features/target_test.h5")
    for condition, name in enumerate(likes.attributes):
        engine = likes.index.engines[name]
        rows = (features.condition == condition) & np.isin(features.row, engine.ids)
        np.testing.assert_array_equal(engine.rows(engine.ids), features.embedding[rows])
    report = json.loads((built.folder / "metrics/index.json").read_text())
    assert {name: figures["recall@10"] for name, figures in report.items()} == {EVERY: 1, "neck/line": 1}


def test_a_picture_is_found_by_what_it_is_like_in_each_attribute(built, likes):
    row, file = photo(built, "gallery")
    assert row % 2 == 0
    by = {name: likes.search(file, GALLERY, like=name) for name in likes.attributes}
    for name, answer in by.items():
        assert (answer.attribute, answer.model) == (name, "baseline")
        assert answer.searched == len(answer.hits) == len(likes.index.engines[name].ids)
        assert answer.hits[0].row == row
        assert answer.hits[0].score == pytest.approx(1, abs=1e-5)
        others = [hit for hit in answer.hits if hit.row != row]
        assert rows_of(likes.like(row, GALLERY, like=name)) == [hit.row for hit in others]
    assert by[EVERY].hits[0].score != by["neck/line"].hits[1].score
    assert {hit.row: hit.value for hit in by[EVERY].hits} == {
        one: "green, red" if one % 4 == 0 else ("red", "blue")[one % 2] for one in likes.index.ids
    }
    hats = likes.search(file, GALLERY, like="neck/line", category="hats")
    assert {(hit.category, hit.value) for hit in hats.hits} == {("hats", "deep")}
    assert hats.searched == len(hats.hits)
    both = likes.compare(file, 3, likes=likes.attributes)
    assert [rows_of(answer) for answer in both] == [rows_of(answer)[:3] for answer in by.values()]
    assert likes.browse(count=1)[0].value is None


def test_what_cannot_be_answered_is_said(built, likes):
    _, file = photo(built)
    for like, says in (
        (None, "name one of them: colour, neck/line"),
        ("neckline", "did you mean neck/line?"),
        ("q", "known: col"),
    ):
        with pytest.raises(UserError, match=says):
            likes.search(file, like=like)
        with pytest.raises(UserError, match=says):
            likes.like(int(likes.index.ids[0]), like=like)
    odd = int(likes.index.ids[likes.index.ids % 2 == 1][0])
    with pytest.raises(UserError, match=f"row {odd}: not indexed by 'neck/line'; this picture is by colour"):
        likes.like(odd, like="neck/line")
    with pytest.raises(UserError, match="an index by attributes has no colour features"):
        likes.search(file, like=EVERY, colour_weight=0.1)


def test_command_shows_known_values(built, tmp_path):
    file, sheet = str(photo(built)[1]), tmp_path / "sheet.png"
    done = built.run("search", file, "--like", EVERY, "-k", "3", "--device", "cpu", "--sheet", str(sheet))
    assert done.code == 0, done.stderr
    title, columns, *rows = done.stdout.strip().splitlines()
    assert title.startswith(f"{file} like colour (baseline, {GALLERY} pictures searched, ")
    assert columns.split() == ["score", "item", "category", "colour", "link"]
    assert len(rows) == 3
    with Image.open(sheet) as drawn:
        seen = set(map(tuple, np.asarray(drawn).reshape(-1, 3)))
        assert (230, 60, 0) in seen, "the frame of the crop"
        built.run("search", file, "--like", EVERY, "--like", "neck/line", "--device", "cpu", "--sheet", str(sheet))
        assert Image.open(sheet).height > drawn.height
    answers = found(built, file, "--like", "neck/line", "--like", EVERY, "-k", "2")
    assert [answer["attribute"] for answer in answers] == ["neck/line", EVERY]
    assert [hit["value"] for hit in answers[0]["hits"]] == ["deep", "deep"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "like: this index is by attributes; name one of them: colour, neck/line"),
        (["--like", "neck"], "like 'neck': no attribute of the index; did you mean neck/line?"),
        (["--like", "colour", "--colour", "0.1"], "an index by attributes has no colour features"),
        (["--like", "colour", "--model", "viewed"], "known: baseline"),
    ],
)
def test_command_says_what_is_wrong(built, options, says):
    built.run("search", str(photo(built)[1]), *options).check_message("search", says)


def test_other_indexes_say_how_to_have_attributes(finished):
    said = finished.run("search", str(photo(finished)[1]), "--like", "neck")
    said.check_message("search", "like: this index is not by attributes; train a network that is asked for them")


def test_lists_of_an_attribute_say_who_is_a_query(steered):
    """Pictures that search one another, of which lists name some as queries of an attribute, some as both."""
    table = manifest(steered)
    test = (table["meta_domain"] == "target") & table["split"].isin(["query", "gallery"])
    table.assign(split=table["split"].where(~test, "test")).to_parquet(steered.folder / "data/manifest.parquet")
    rows = np.flatnonzero(test)
    lists = [(rows[:10], "query"), (rows[5:20], "gallery")]
    known = pd.concat(
        pd.DataFrame({"row": of, "attribute": EVERY, "value": split, "split": split}) for of, split in lists
    ).sort_values(["row", "value"])
    write_attributes(steered.folder / ATTRIBUTES_FILE, known)
    steered.change({"index.domain": "any", "extract.attributes": [EVERY, "hem"]}).succeed("extract", "draw", "index")
    index = read_index(steered.folder / "data/index")
    assert index.engines[EVERY].ids.tolist() == rows[5:].tolist()
    assert index.engines["hem"].ids.tolist() == rows.tolist()
    values = index.values.set_index("row")["value"]
    assert (values[rows[5]], values[rows[4]]) == ("gallery, query", "query")


def test_pictures_come_and_go(steered):
    shop = steered.folder / "shop"
    shop.mkdir()
    Image.new("RGB", (50, 50), (250, 120, 20)).save(shop / "new.png")
    assert "1 pictures added" in steered.run("catalogue", "add", str(shop), "--device", "cpu").stdout
    for name in (EVERY, "neck/line"):
        (answer,) = found(steered, str(shop / "new.png"), "--like", name, "-k", "1")
        assert (answer["hits"][0]["item"], answer["hits"][0]["value"]) == ("new", None)
        assert answer["hits"][0]["score"] == pytest.approx(1, abs=1e-5)
    done = steered.run("search", str(shop / "new.png"), "--like", EVERY, "-k", "1", "--device", "cpu")
    assert done.stdout.splitlines()[2].split()[1:] == ["new", "-"]
    assert "1 pictures removed" in steered.run("catalogue", "remove", "new").stdout
    before = read_index(steered.folder / "data/index")
    necked = before.table[before.ids % 2 == 0]["item"].unique()
    plain = set(before.table["item"]).difference(necked)
    said = steered.run("catalogue", "remove", *necked)
    said.check_message("catalogue", "no picture would be left to be found by 'neck/line'; nothing was removed")
    assert len(read_index(steered.folder / "data/index")) == GALLERY
    assert steered.run("catalogue", "remove", *plain).code == 0
    after = read_index(steered.folder / "data/index")
    assert 0 < len(after) < GALLERY
    assert after.engines["neck/line"].ids.tolist() == before.engines["neck/line"].ids.tolist()
    assert set(after.values["row"]) == set(after.ids)


@pytest.mark.parametrize("file", ["values.parquet", "attribute_1/index.faiss", "attribute_0/ids.npy"])
def test_a_damaged_index(steered, file):
    path = steered.folder / "data/index" / file
    path.write_bytes(path.read_bytes()[:20])
    steered.run("search", str(photo(steered)[1])).check_message("search", "data/index", "run `dvc repro index`")


def test_an_engine_of_other_rows(steered):
    index = steered.folder / "data/index"
    shutil.rmtree(index / "attribute_1")
    np_file = index / "attribute_0/ids.npy"
    shutil.copytree(index / "attribute_0", index / "attribute_1")
    ids = np.load(np_file)
    np.save(index / "attribute_1/ids.npy", np.append(ids[1:], 10**6))
    steered.run("search", str(photo(steered)[1])).check_message("search", "attribute_1: holds 34 rows, others than")


def test_export_is_of_other_networks(steered):
    said = steered.run("export", "--model", "baseline")
    said.check_message("export", f"a network of kind {NETWORK.kind}, which is told more than a picture")
