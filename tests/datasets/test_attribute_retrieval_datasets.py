"""FashionAI, DARN and DeepFashion in the eight lists of attribute-specific retrieval."""

from pathlib import Path

import pytest
from support.retrieval_sets import committed

from pipeline.base.errors import UserError
from pipeline.table.attributes import check_attributes

SETS = {"fashionai": (8, 54), "darn": (9, 185), "deepfashion_attribute_retrieval": (5, 1000)}
NAME = "fashionai"
LISTS = {
    "filenames_train.txt": "img/a 0.jpg\nimg/1.jpg\r\nimg/2.jpg\n",
    "filenames_valid.txt": "img/3.jpg\nimg/4.jpg\n\n",
    "filenames_test.txt": "  img/5.jpg\nimg/6.jpg",
    "label_train.txt": "0 0 1 1 2\n2 1 8 1 3\n",
    "query_valid.txt": "0 0 5\n",
    "candidate_valid.txt": "1 0 5\n0 0 5\n",
    "query_test.txt": "1 7 4\n",
    "candidate_test.txt": "0 7 4\n0 6 9\n1 7 4\n\n",
}
ENTRIES = [
    ("img/a 0.jpg", "skirt_length", "1", "train"),
    ("img/a 0.jpg", "sleeve_length", "2", "train"),
    ("img/2.jpg", "sleeve_length", "8", "train"),
    ("img/2.jpg", "sleeve_length", "3", "train"),
    ("img/3.jpg", "skirt_length", "5", "query"),
    ("img/4.jpg", "skirt_length", "5", "gallery"),
    ("img/3.jpg", "skirt_length", "5", "gallery"),
    ("img/6.jpg", "neck_design", "4", "query"),
    ("img/5.jpg", "neck_design", "4", "gallery"),
    ("img/5.jpg", "neckline_design", "9", "gallery"),
    ("img/6.jpg", "neck_design", "4", "gallery"),
]


def write(root: Path, **changes: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in LISTS.items():
        (root / name).write_text(changes.get(name.removesuffix(".txt"), content), newline="")
    return root


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    root = write(tmp_path / "incoming")
    for name in ("a 0", *range(1, 7)):
        picture(root / f"img/{name}.jpg")
    return root


@pytest.mark.parametrize("name", SETS)
def test_committed_attributes(name, dataset):
    _, params = dataset(name, **committed(name))
    assert (len(params.attributes), sum(params.attributes.values())) == SETS[name]


def test_pictures_and_entries(incoming, fetched, dataset):
    out, table = fetched(incoming, NAME, **committed(NAME))
    assert table["image"].tolist() == ["img/a 0.jpg", *(f"img/{n}.jpg" for n in range(1, 7))]
    assert table["split"].tolist() == ["train"] * 3 + ["val"] * 2 + ["test"] * 2
    assert table["item"].tolist() == table["image"].tolist(), "no list tells products"
    assert table[["category", "domain", "meta_domain"]].drop_duplicates().to_numpy().tolist() == [
        ["clothes", "shop", "source"]
    ]
    assert len(list(out.rglob("*.jpg"))) == 7
    module, params = dataset(NAME, **committed(NAME))
    told = check_attributes(module.read_attributes(out, params, table), table, NAME)
    shown = told.assign(row=table["image"].to_numpy()[told["row"]])
    assert list(shown.itertuples(index=False, name=None)) == ENTRIES


def test_other_folders(tmp_path, dataset):
    write(tmp_path / "splits")
    section = committed(NAME, folder="splits", images="photos", domain="consumer", meta_domain="target")
    module, params = dataset(NAME, **section)
    table = module.read_table(tmp_path, params)
    assert table["image"].iloc[1] == "photos/img/1.jpg"
    assert table[["domain", "meta_domain"]].drop_duplicates().to_numpy().tolist() == [["consumer", "target"]]
    assert len(module.read_attributes(tmp_path, params, table)) == len(ENTRIES)


def test_a_picture_twice_in_its_list_is_one_row_with_two_numbers(tmp_path, dataset):
    write(tmp_path, filenames_test="img/5.jpg\nimg/6.jpg\nimg/5.jpg", candidate_test="0 7 4\n2 6 9\n")
    module, params = dataset(NAME, **committed(NAME))
    table = module.read_table(tmp_path, params)
    assert table["image"].tolist()[-2:] == ["img/5.jpg", "img/6.jpg"]
    assert module.read_attributes(tmp_path, params, table)["row"].tolist()[-2:] == [5, 5]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("label_train", "0 0 1\n3 0 1\n", "line 2: picture 3 is beyond the list of 3, which is counted from 0"),
        ("query_test", "2 7 4", "line 1: picture 2 is beyond the list of 2"),
        ("label_train", "0 0 1 8 0\n", "line 1: attribute 8 is beyond the 8 of the set's params.yaml"),
        ("candidate_valid", "1 0 5\n0 0 6\n", "line 2: value 6 of attribute 0, skirt_length, is beyond the 6 of the"),
        ("label_train", "0 0 1\n0 0 1 2\n", "line 2: expected a picture and pairs .*, found 4 numbers '0 0 1 2'"),
        ("label_train", "0\n", "line 1: expected a picture and pairs of attribute and value, found 1 numbers"),
        ("label_train", "0 0 1\n\n1 0 1\n", "line 2: expected a picture and pairs .*, found 0 numbers ''"),
        ("query_valid", "0 0 5 1 1\n", "line 1: expected a picture, an attribute and a value, found 5 numbers"),
        (
            "query_valid",
            "0 0 -1\n",
            "line 1: expected whole numbers from 0, a picture, an attribute and a value",
        ),
        ("query_valid", "0 0 1.0\n", "line 1: expected whole numbers from 0"),
        ("label_train", "0 0 1 0 1\n", "line 1: skirt_length 1 of a picture, as in line 1 already; drop one, or set"),
        (
            "query_test",
            "0 7 4\n1 7 4\n0 7 4\n1 7 4\n",
            "line 3: neck_design 4 .* line 1 already .and 1 more.; drop",
        ),
        ("filenames_train", "a.jpg\n\nb.jpg\n", "line 2: blank, where the other lists count it as a picture"),
        ("filenames_train", "\n", "no pictures in it; get the file again"),
        ("filenames_train", "../a.jpg\n", "line 1: '../a.jpg' leads out of its folder"),
        ("filenames_test", "x.jpg\nimg/2.jpg\n", "line 2: picture 'img/2.jpg' is in filenames_train.txt line 3 too"),
    ],
)
def test_strange_lines(tmp_path, dataset, name, content, says):
    write(tmp_path, **{name: content})
    module, params = dataset(NAME, **committed(NAME))
    with pytest.raises(UserError, match=rf"{name}.txt:? {says}") as caught:
        module.read_attributes(tmp_path, params, module.read_table(tmp_path, params))
    assert "\n" not in str(caught.value)


def test_what_is_told_twice_is_dropped_on_demand(tmp_path, dataset):
    write(tmp_path, candidate_test="0 7 4\n0 6 9\n0 7 4\n1 7 4\n")
    module, params = dataset(NAME, **committed(NAME, repeated="drop"))
    told = module.read_attributes(tmp_path, params, module.read_table(tmp_path, params))
    assert len(told) == len(ENTRIES)
    assert told["row"].tolist()[-3:] == [5, 5, 6]


def test_an_empty_list_of_entries(tmp_path, dataset):
    write(tmp_path, candidate_test="\n")
    module, params = dataset(NAME, **committed(NAME))
    told = module.read_attributes(tmp_path, params, module.read_table(tmp_path, params))
    assert told["split"].tolist() == [split for *_, split in ENTRIES[:8]]


def test_missing_lists_and_pictures(tmp_path, fetched):
    with pytest.raises(UserError, match=r"no such file; put filenames_train.txt, .* from the FashionAI .* on Tianchi"):
        fetched(tmp_path / "incoming", NAME, **committed(NAME))
    write(tmp_path / "other")
    (tmp_path / "work" / NAME).rmdir()
    with pytest.raises(UserError, match=r"none of the 7 pictures is there .*img/a 0.jpg is missing"):
        fetched(tmp_path / "other", NAME, **committed(NAME))
