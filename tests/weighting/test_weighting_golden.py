"""Groups, clusters, WS5 list and training structure of the miniature world against those of UDMA."""

from functools import cache

import h5py
import numpy as np
import pytest
import torch
from golden_files import GOLDEN, golden

from pipeline.clustering.finch import choose_partition, finch
from pipeline.clustering.groups import Group, build_groups
from pipeline.weighting.catalogue import Catalogue, build_catalogue
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.products import Products, build_products
from pipeline.weighting.similarity import ClusteredRows, similarity_list
from pipeline.weighting.strategy import choose_links

ALIGNMENT = {2: (8, 9, 11), 6: (20,), 7: (1, 15), 8: (3, 21), 9: (10, 12), 10: (13, 14, 16, 17, 18, 19)}
CONSUMER, SHOP, LINKED = 0, 1, 2  # roles in the structure tables


def names(codes: np.ndarray | tuple[int, ...]) -> np.ndarray:
    """Numbers as strings that sort alike."""
    return np.array([f"{code:05d}" for code in codes])


@cache
def part(meta_domain: str, domain: str) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """Embeddings, categories and items of one file of the miniature world."""
    path = GOLDEN / "world/ClusteringFeats/BASE" / meta_domain / f"DeepFashion_ADAM_ALL/train_{domain}_X_60.h5"
    with h5py.File(path) as file:
        return torch.from_numpy(file["X_"][:]), names(file["cid"][:]), names(file["pid"][:])


def world_groups() -> list[Group]:
    alignment = {f"{target:05d}": names(listed).tolist() for target, listed in ALIGNMENT.items()}
    return build_groups(part("DeepFashion", "Shop")[1], part("Street2Shop", "Shop")[1], alignment)


@cache
def world_catalogue() -> Catalogue:
    """Rows are the shop file, then the consumer file."""
    (_, shop_categories, shop_items), (_, categories, items) = (
        part("DeepFashion", "Shop"),
        part("DeepFashion", "Consumer"),
    )
    domains = np.repeat(["shop", "consumer"], [len(shop_items), len(items)])
    return build_catalogue(np.append(shop_categories, categories), np.append(shop_items, items), domains)


@cache
def world_links(partition: int) -> Links:
    source, target, catalogue = part("DeepFashion", "Shop")[0], part("Street2Shop", "Shop")[0], world_catalogue()
    parts = []
    for group in world_groups():
        if group.aligned:
            result = finch(torch.cat([source[group.source], target[group.target]]))
            labels, _ = choose_partition(result, partition)
            parts.append(
                similarity_list(
                    ClusteredRows(source[group.source], labels[: len(group.source)]),
                    catalogue.codes[catalogue.shop][group.source],
                    ClusteredRows(target[group.target], labels[len(group.source) :]),
                    group.target,
                    n_shop=catalogue.n_shop,
                    has_consumer=catalogue.n_consumer > 0,
                )
            )
    return concatenate(parts)


def structure(products: Products, roles: tuple[int, ...]) -> np.ndarray:
    """Products as the rows of the golden tables: category, entry, pid, role, index in the role's index space."""
    n_shop = len(part("DeepFashion", "Shop")[1])
    offsets = {CONSUMER: -n_shop, SHOP: 0, LINKED: n_shop}  # the shop file is first in both index spaces
    rows = []
    for index in range(len(products)):
        category = np.searchsorted(products.bounds, index, side="right") - 1
        pid = int(world_catalogue().items[products.codes[index]])
        entry = index - products.bounds[category]
        for role, ragged in zip(roles, (products.consumer, products.shop, products.target), strict=False):
            rows += [
                (int(products.categories[category]), entry, pid, role, row + offsets[role]) for row in ragged[index]
            ]
    return np.array(rows)


def test_groups_and_their_partitions():
    source, target = part("DeepFashion", "Shop")[0], part("Street2Shop", "Shop")[0]
    case = golden("weighting_p0")
    groups = world_groups()
    assert [int(group.name) for group in groups] == [*ALIGNMENT, 0, 1, 3, 4, 5]
    for group in groups:
        prefix, number = "fw" if group.aligned else "w", int(group.name) + 100
        rows = np.append(group.source, group.target + len(source))
        np.testing.assert_array_equal(rows, case[f"{prefix}_idx_{number}"])
        result = finch(torch.cat([source, target])[rows])
        np.testing.assert_array_equal(result.labels, case[f"{prefix}_c_{number}"])


@pytest.mark.parametrize("partition", [0, 1])
def test_ws5_list(partition):
    target, _, pid, similarity = golden(f"weighting_p{partition}")["ws5_list"].T
    links = choose_links("ws5", world_links(partition), read_target_items=pytest.fail)
    np.testing.assert_array_equal(links.target + len(part("DeepFashion", "Shop")[1]), target)
    np.testing.assert_array_equal(world_catalogue().items[links.product].astype(int), pid)
    np.testing.assert_allclose(links.similarity, similarity, rtol=0, atol=1e-6)


@pytest.mark.parametrize("partition", [0, 1])
def test_training_structure(partition):
    products = build_products(world_catalogue(), world_links(partition))
    expected = golden(f"weighting_p{partition}")["struct_WS5"]
    np.testing.assert_array_equal(structure(products, (CONSUMER, SHOP, LINKED)), expected)


def test_structure_of_the_source_alone():
    products = build_products(world_catalogue(), None)
    base = golden("weighting_p0")["base_struct"]
    expected = base[np.isin(base[:, 3], (CONSUMER, SHOP)) & (base[:, 0] < 23)]
    np.testing.assert_array_equal(structure(products, (CONSUMER, SHOP)), expected)
    assert len(products.target.values) == 0
