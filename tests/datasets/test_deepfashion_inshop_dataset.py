"""DeepFashion In-shop: parts, boxes and types of clothes."""

from pathlib import Path

import pytest
from support.golden import golden
from support.retrieval_sets import check_ranked, committed, headed

from pipeline.base.errors import UserError

NAME = "deepfashion_inshop"
HEADER, BOX_HEADER = "image_name item_id evaluation_status", "image_name  clothes_type  pose_type  x_1  y_1  x_2  y_2"
PARTITION, BOXES = "Eval/list_eval_partition.txt", "Anno/list_bbox_inshop.txt"
# picture, item, status, clothes type, corners
PICTURES = [
    ("WOMEN/Dresses/id_00000002/01_1_front.jpg", "id_00000002", "train", 3, "001 2 7 8"),
    ("WOMEN/Dresses/id_00000002/01_2_side.jpg", "id_00000002", "train", 3, "0 0 8 8"),
    ("MEN/Denim/id_00000007/01_1_front.jpg", "id_00000007", "train", 2, "0 0 8 8"),
    ("MEN/Denim/id_00000010/01_1_front.jpg", "id_00000010", "query", 1, "0 0 8 8"),
    ("MEN/Denim/id_00000010/02_1_front.jpg", "id_00000010", "gallery", 1, "0 0 8 8"),
    ("MEN/Denim/id_00000010/02_2_back.jpg", "id_00000010", "gallery", 2, "0 0 8 8"),
]


def write_lists(root: Path, pictures: list) -> None:
    for name in (PARTITION, BOXES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
    rows = [f"img/{path:<60} {item}   {status}" for path, item, status, _, _ in pictures]
    (root / PARTITION).write_text(headed(HEADER, rows))
    rows = [f"img/{path:<60} {kind} 1 {corners}" for path, _, _, kind, corners in reversed(pictures)]
    (root / BOXES).write_text(headed(BOX_HEADER, rows))


@pytest.fixture
def incoming(tmp_path, picture) -> Path:
    root = tmp_path / "incoming"
    write_lists(root, PICTURES)
    for path, *_ in PICTURES:
        picture(root / "img" / path)
    return root


def test_train_query_and_gallery(incoming, fetched):
    out, table = fetched(incoming, NAME, **committed(NAME))
    assert table["image"].tolist() == [f"img/{path}" for path, *_ in PICTURES]
    assert table["item"].tolist() == [item for _, item, *_ in PICTURES]
    assert table["split"].tolist() == ["train"] * 3 + ["query", "gallery", "gallery"]
    assert table["category"].tolist() == ["WOMEN/Dresses"] * 2 + ["MEN/Denim"] * 4
    assert set(table["domain"]) == {"shop"}
    assert table["x"].isna().all()
    assert not (out / BOXES).exists()


def test_boxes_and_other_pictures(incoming, fetched):
    (incoming / "img").rename(incoming / "img_highres")
    _, table = fetched(incoming, NAME, **committed(NAME, crop="boxes", images="img_highres", meta_domain="target"))
    assert table["image"][0] == "img_highres/WOMEN/Dresses/id_00000002/01_1_front.jpg"
    assert table.loc[0, ["x", "y", "w", "h"]].tolist() == [1, 2, 6, 6]
    assert set(table["meta_domain"]) == {"target"}


def test_flat_lists_types_and_numbers_of_pictures(incoming, fetched):
    for name in (PARTITION, BOXES):
        (incoming / name).rename(incoming / Path(name).name)
    out, table = fetched(incoming, NAME, **committed(NAME, lists="flat", clothes="lower"))
    assert table["item"].tolist() == ["id_00000007", "id_00000010"]
    assert (out / "list_bbox_inshop.txt").is_file()
    assert len(list(out.rglob("*.jpg"))) == 2, "what is not kept is not copied"


@pytest.mark.parametrize(("fewest", "items"), [(2, ["id_00000002", "id_00000010"]), (3, ["id_00000010"])])
def test_items_with_too_few_pictures(incoming, fetched, fewest, items):
    _, table = fetched(incoming, NAME, **committed(NAME, min_pictures=fewest))
    assert table["item"].drop_duplicates().tolist() == items


def test_dada_reads_the_same(tmp_path, dataset):
    case = golden("dataset_parsing", "dada")
    (tmp_path / "list_eval_partition.txt").write_text(case["inshop_list_eval_partition_txt"].item())
    module, params = dataset(NAME, **committed(NAME, lists="flat"))
    table = module.read_table(tmp_path, params)
    for split, prefix in (("train", "training"), ("query", "query"), ("gallery", "gallery")):
        check_ranked(table, split, case, f"inshop_{prefix}")


def test_deep_fashion_retrieval_keeps_the_same(tmp_path, dataset):
    case = golden("parsers_and_inshop_eval", "deep_fashion_retrieval")
    for name, lines in (("eval_partition", "partition_lines"), ("bbox_inshop", "bbox_lines")):
        (tmp_path / f"list_{name}.txt").write_text("\n".join(case[f"inshop_{lines}"].tolist()) + "\n")
    module, params = dataset(NAME, **committed(NAME, lists="flat", clothes="upper", min_pictures=2))
    table = module.read_table(tmp_path, params)
    paths = []
    for part, learnt in (("train", True), ("test", False)):
        rows = table[(table["split"] == "train") == learnt]
        assert rows["item"].drop_duplicates().tolist() == case[f"inshop_{part}_ids"].tolist()
        assert len(rows) == case[f"inshop_{part}_len"]
        for _, of_item in rows.groupby("item", sort=False):
            paths += of_item["image"].tolist()
    assert paths == case["inshop_all_path"].tolist()


def _row(path="WOMEN/Dresses/id_00000002/09_1_full.jpg", item="id_00000002", status="train", kind=1, corners="0 0 1 1"):
    return (path, item, status, kind, corners)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            _row(status="test"),
            "partition.txt line 9: evaluation_status 'test' is unknown; known: train, query, gallery",
        ),
        (
            _row(path="WOMEN/id_00000009/1.jpg"),
            "partition.txt line 9: image_name 'img/WOMEN/id_00000009/1.jpg' is no G",
        ),
        (_row(path="../x/id_00000009/1.jpg", item="id_00000009"), "'img/../x/id_00000009/1.jpg' leads out of its fold"),
        (_row(status="query"), "partition.txt line 9: item_id 'id_00000002' is in train, too"),
        (_row(kind=4), "list_bbox_inshop.txt line 3: clothes_type '4' is unknown; known: 1, 2, 3"),
        (_row(corners="0 0 x 1"), "list_bbox_inshop.txt line 3: x_2 'x' is no number"),
        (_row(corners="0 0 1"), "list_bbox_inshop.txt line 3: expected 7 fields"),
        (
            _row(path=PICTURES[1][0]),
            "list_bbox_inshop.txt line 8: image_name '.*/01_2_side.jpg' is in an earlier line already",
        ),
    ],
)
def test_strange_lines(tmp_path, dataset, row, says):
    write_lists(tmp_path, [*PICTURES, row])
    module, params = dataset(NAME, **committed(NAME, crop="boxes", clothes="upper"))
    with pytest.raises(UserError, match=says) as caught:
        module.read_table(tmp_path, params)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (
            {},
            r"Eval/list_eval_partition.txt: no such file; put .* into .*incoming: from DeepFashion, In-shop Clothes R",
        ),
        ({"min_pictures": 0}, "datasets/deepfashion_inshop/params.yaml:min_pictures"),
        ({"images": "/img"}, "datasets/deepfashion_inshop/params.yaml:images: should be a relative path"),
        ({"clothes": "shoes"}, "datasets/deepfashion_inshop/params.yaml:clothes"),
    ],
)
def test_missing_files_and_mistaken_params(tmp_path, fetched, section, says):
    with pytest.raises(UserError, match=says):
        fetched(tmp_path / "incoming", NAME, **committed(NAME, **section))
