"""links.parquet and clusters.h5: round trips, stable bytes, rows and products that do not exist."""

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.io.clusters import ClusteredGroup, read_clusters, write_clusters
from pipeline.io.links import links_table, read_links, write_links
from pipeline.weighting.catalogue import build_catalogue
from pipeline.weighting.links import Links

CATALOGUE = build_catalogue(
    np.array(["coat", "coat", "dress"]), np.array(["i0", "i1", "i0"]), np.array(["shop", "consumer", "shop"])
)
ROWS = np.array([100, 105, 107])  # manifest rows of the target pictures
LINKS = Links(np.array([0, 2]), np.array([2, 1]), np.array([0.5, 0.25], np.float32), np.array([3, 0]))


def table():
    return links_table(LINKS, CATALOGUE, ROWS, np.array(["dresses", "hats", "outerwear"]))


def test_links_are_written_in_names_and_read_in_codes(tmp_path):
    named = table()
    assert named.iloc[0].tolist() == [100, "dresses", "dress", "i0", 0.5, 3]
    write_links(tmp_path / "a.parquet", named)
    write_links(tmp_path / "b.parquet", named)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    links = read_links(tmp_path / "a.parquet", CATALOGUE, ROWS)
    for name in ("target", "product", "similarity", "cluster"):
        np.testing.assert_array_equal(getattr(links, name), getattr(LINKS, name))


def test_no_links_is_a_table_too(tmp_path):
    write_links(tmp_path / "a.parquet", table().iloc[:0])
    assert len(read_links(tmp_path / "a.parquet", CATALOGUE, ROWS)) == 0


@pytest.mark.parametrize("change", [{"row": 101}, {"item": "i9"}, {"category": "hat"}])
def test_links_to_what_does_not_exist_are_refused(tmp_path, change):
    named = table().assign(**change)
    write_links(tmp_path / "a.parquet", named)
    with pytest.raises(UserError, match=r"link 0 names a picture or an item that is not in the features"):
        read_links(tmp_path / "a.parquet", CATALOGUE, ROWS)


def test_damaged_links(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(UserError, match="not a table of links"):
        read_links(path, CATALOGUE, ROWS)
    write_links(path, table())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="not a table of links"):
        read_links(path, CATALOGUE, ROWS)
    table().drop(columns="item").to_parquet(path)
    with pytest.raises(UserError, match="not a table of links"):
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
