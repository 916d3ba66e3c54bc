"""links.parquet and clusters.h5: round trips, stable bytes, rows and products that do not exist."""

import numpy as np
import pytest

from pipeline.base.errors import UserError
from pipeline.clustering.file import read_clusters, write_clusters
from pipeline.clustering.groups import ClusteredGroup
from pipeline.table.products import build_catalogue
from pipeline.weighting.file import links_table, read_links, write_links
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.target_clusters import TargetClusters, find_target_clusters

CATALOGUE = build_catalogue(
    np.array(["coat", "coat", "dress"]), np.array(["i0", "i1", "i0"]), np.array(["shop", "consumer", "shop"])
)
ROWS = np.array([100, 105, 107, 109, 110])  # manifest rows of the target pictures
GROUPS = np.array(["dresses", "hats", "outerwear", "hats", "dresses"])
LINKS = Links(
    np.array([0, 2, 4, 4]), np.array([2, 1, 0, 2]), np.array([0.5, 0.25, 0, 1], np.float32), np.array([3, 0, -1, -1])
)
CLUSTERS = TargetClusters(np.array([1, 3]), np.array(["hats", "hats"]), np.array([7, 7]))
NO_LINKS, NO_CLUSTERS = concatenate([]), find_target_clusters([])


def table(links=LINKS, clusters=CLUSTERS):
    return links_table(links, clusters, CATALOGUE, ROWS, GROUPS)


def test_links_are_written_in_names_and_read_in_codes(tmp_path):
    named = table()
    assert named["row"].tolist() == [100, 105, 107, 109, 110, 110]
    assert named.iloc[0].tolist() == [100, "dresses", "dress", "i0", 0.5, 3]
    assert named.iloc[1][["group", "cluster"]].tolist() == ["hats", 7]
    assert named.iloc[1][["category", "item", "similarity"]].isna().all()
    write_links(tmp_path / "a.parquet", named)
    write_links(tmp_path / "b.parquet", named)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    links, clusters = read_links(tmp_path / "a.parquet", CATALOGUE, ROWS)
    for name in ("target", "product", "similarity", "cluster"):
        np.testing.assert_array_equal(getattr(links, name), getattr(LINKS, name))
    for name in ("target", "group", "cluster"):
        np.testing.assert_array_equal(getattr(clusters, name), getattr(CLUSTERS, name))


@pytest.mark.parametrize("links", [LINKS, NO_LINKS], ids=["links", "no links"])
@pytest.mark.parametrize("clusters", [CLUSTERS, NO_CLUSTERS], ids=["clusters", "no clusters"])
def test_either_may_be_empty(tmp_path, links, clusters):
    made = table(links, clusters)
    assert made.dtypes.equals(table().dtypes)
    write_links(tmp_path / "a.parquet", made)
    read = read_links(tmp_path / "a.parquet", CATALOGUE, ROWS)
    assert [*map(len, read)] == [len(links), len(clusters)]


@pytest.mark.parametrize(
    ("link", "change", "says"),
    [
        (2, {"row": 101}, "link 2: no target picture that has features is row 101 of the manifest"),
        (1, {"row": 101}, "link 1: no target picture that has features is row 101"),
        (2, {"item": "i9"}, "link 2: the source pictures show no item 'i9' of category 'coat'"),
        (2, {"category": "hat"}, "link 2: the source pictures show no item 'i1' of category 'hat'"),
        (1, {"item": "i0"}, "link 1: the source pictures show no item 'i0' of category"),
        (2, {"item": None}, "link 2: the source pictures show no item nan of category 'coat'"),
    ],
)
def test_links_to_what_does_not_exist_are_refused(tmp_path, link, change, says):
    named = table()
    for column, value in change.items():
        named.loc[link, column] = value
    write_links(tmp_path / "a.parquet", named)
    with pytest.raises(UserError) as raised:
        read_links(tmp_path / "a.parquet", CATALOGUE, ROWS)
    assert says in str(raised.value)
    assert "a.parquet" in str(raised.value)
    assert "run `dvc repro -f weight`" in str(raised.value)


def test_damaged_links(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(UserError, match="no such file; run `dvc repro -f weight`"):
        read_links(path, CATALOGUE, ROWS)
    write_links(path, table())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="damaged or not a parquet file; run `dvc repro -f weight`"):
        read_links(path, CATALOGUE, ROWS)
    table().drop(columns="item").to_parquet(path)
    with pytest.raises(UserError, match="not a table of links, it has no column 'item'"):
        read_links(path, CATALOGUE, ROWS)


def group(**changes):
    labels = np.array([[0, 0], [1, 0], [0, 0], [2, 1]])
    fields = {"source": np.array([4, 5]), "target": np.array([0, 9]), "labels": labels, "partition": 0}
    return ClusteredGroup(**{"name": "CLOTHING/Coat", "aligned": True, **fields, **changes})


def test_clusters_round_trip_in_order(tmp_path):
    groups = [group(), group(name="hats", aligned=False, partition=1)]
    write_clusters(tmp_path / "a.h5", groups)
    write_clusters(tmp_path / "b.h5", groups)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    first, second = read_clusters(tmp_path / "a.h5")
    assert (first.name, first.aligned, second.name, second.aligned) == ("CLOTHING/Coat", True, "hats", False)
    assert first.source_clusters.tolist() == [0, 1]
    assert first.target_clusters.tolist() == [0, 2]
    assert second.target_clusters.tolist() == [0, 1]


def test_inconsistent_clusters_are_named(tmp_path):
    write_clusters(tmp_path / "a.h5", [group(target=np.array([0]))])
    with pytest.raises(UserError, match="group 'CLOTHING/Coat' has labels for other rows"):
        read_clusters(tmp_path / "a.h5")
