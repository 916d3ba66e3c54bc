"""Groups, clusters, lists of all strategies and training structure of the miniature world against those of UDMA."""

from functools import cache

import h5py
import numpy as np
import pytest
import torch
from support.golden import GOLDEN, golden

from pipeline.adaptation.pairs import PairSampler
from pipeline.adaptation.products import Products, build_products
from pipeline.clustering.finch import choose_partition, finch
from pipeline.clustering.groups import ClusteredGroup, Group, build_groups
from pipeline.table.products import Catalogue, build_catalogue
from pipeline.weighting.evidence import Evidence
from pipeline.weighting.greedy import greedy_rounds
from pipeline.weighting.links import Links, concatenate
from pipeline.weighting.matches import (
    Matches,
    best_per_source,
    best_per_target,
    join_matches,
    links_of_matches,
    matches_of_links,
)
from pipeline.weighting.strategy import choose_links, load_strategy
from pipeline.weighting.target_clusters import find_target_clusters
from pipeline.weighting.target_items import TargetProducts, code_target_products

ALIGNMENT = {2: (8, 9, 11), 6: (20,), 7: (1, 15), 8: (3, 21), 9: (10, 12), 10: (13, 14, 16, 17, 18, 19)}
CONSUMER, SHOP, LINKED = 0, 1, 2  # roles in the structure tables
TARGET_ONLY = 23  # the first of the reference's categories that are target-only


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
def world_clusters(partition: int) -> list[ClusteredGroup]:
    source, target = part("DeepFashion", "Shop")[0], part("Street2Shop", "Shop")[0]
    groups = []
    for group in world_groups():
        result = finch(torch.cat([source[group.source], target[group.target]]))
        _, used = choose_partition(result, partition)
        assert used == partition
        groups.append(ClusteredGroup(group.name, group.aligned, group.source, group.target, result.labels, used))
    return groups


@cache
def world_evidence(partition: int) -> Evidence:
    source = torch.cat([part("DeepFashion", domain)[0] for domain in ("Shop", "Consumer")])
    aligned = [group for group in world_clusters(partition) if group.aligned]
    return Evidence(world_catalogue(), aligned, source, part("Street2Shop", "Shop")[0], say=pytest.fail)


def world_target_products() -> TargetProducts:
    items = part("Street2Shop", "Shop")[2]
    return code_target_products(items, np.arange(len(items)), world_evidence(0).groups, "ws6")


def world_links(strategy: str, partition: int) -> Links:
    return choose_links(load_strategy(strategy), world_evidence(partition), world_target_products)


def world_products(links: Links, clusters: tuple[ClusteredGroup, ...] = ()) -> Products:
    return build_products(world_catalogue(), links, find_target_clusters(clusters))


def named(matches: Matches) -> np.ndarray:
    """Matches in the reference's numbers: target pid (counted on from the source's), source pid, similarity."""
    products, source_pids = world_target_products(), world_catalogue().items.astype(int)
    first = products.pictures.values[products.pictures.offsets[:-1]]
    target_pids = part("Street2Shop", "Shop")[2][first].astype(int) + source_pids.max()
    return np.stack([target_pids[matches.target], source_pids[matches.product], matches.similarity], axis=1)


def sorted_by(column: int, table: np.ndarray) -> np.ndarray:
    return table[np.argsort(table[:, column], kind="stable")]


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
    links = world_links("ws5", partition)
    np.testing.assert_array_equal(links.target + len(part("DeepFashion", "Shop")[1]), target)
    np.testing.assert_array_equal(world_catalogue().items[links.product].astype(int), pid)
    np.testing.assert_allclose(links.similarity, similarity, rtol=0, atol=1e-6)


@pytest.mark.parametrize("partition", [0, 1])
def test_ws6_list(partition):
    links, products = world_evidence(partition).similar, world_target_products()
    listed = best_per_target(matches_of_links(links, products))
    expected = golden(f"weighting_p{partition}")["ws6_list"]
    np.testing.assert_allclose(sorted_by(0, named(listed)), expected[:, 1:], rtol=0, atol=1e-6)
    # Its first column: the picture that decided, the first of equal ones.
    pictures = [
        links.target[(products.codes[links.target] == target) & (links.product == product) & (links.similarity == best)]
        for target, product, best in zip(listed.target, listed.product, listed.similarity, strict=True)
    ]
    assert sorted(rows[0] + len(part("DeepFashion", "Shop")[1]) for rows in pictures) == sorted(expected[:, 0])


def by_pid(embeddings: torch.Tensor, pids: np.ndarray) -> torch.Tensor:
    """Means of the pictures of every pid, ascending, scaled to unit length."""
    means = [embeddings[pids == pid].double().mean(dim=0) for pid in np.unique(pids)]
    return torch.nn.functional.normalize(torch.stack(means), dim=1)


def test_ws7_list_and_rounds_in_the_order_of_the_reference():
    case = golden("weighting_p0")
    (source, _, source_pids), (target, categories, target_pids) = (
        part(name, "Shop") for name in ("DeepFashion", "Street2Shop")
    )
    aligned = np.isin(categories, names(tuple(ALIGNMENT)))
    target_pids, source_pids = target_pids[aligned].astype(int) + source_pids.astype(int).max(), source_pids.astype(int)
    rounds = list(greedy_rounds(by_pid(target[aligned], target_pids), by_pid(source, source_pids)))
    assert len(rounds) == case["ws7_rounds"]
    matches = join_matches(rounds)
    pids = np.unique(target_pids)[matches.target], np.unique(source_pids)[matches.product]
    np.testing.assert_allclose(np.stack([*pids, matches.similarity], axis=1), case["ws7_list"], rtol=0, atol=1e-6)


def test_ws7_matches_from_the_features():
    evidence = world_evidence(0)
    made = Evidence(
        evidence.catalogue, evidence.groups, evidence.source, evidence.target, pytest.fail, world_target_products()
    ).one_to_one
    expected = golden("weighting_p0")["ws7_list"]
    np.testing.assert_allclose(sorted_by(1, named(made)), sorted_by(1, expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("partition", [0, 1])
@pytest.mark.parametrize("strategy", ["ws5", "ws6", "ws7", "ws8"])
def test_training_structure(strategy, partition):
    case = golden(f"weighting_p{partition}")
    products = world_products(world_links(strategy, partition))
    np.testing.assert_array_equal(structure(products, (CONSUMER, SHOP, LINKED)), case[f"struct_{strategy.upper()}"])
    pairs = case["pairs_per_product"]
    pairs = pairs[pairs[:, 0] == int(strategy.removeprefix("ws"))]
    np.testing.assert_array_equal(products.consumer.lengths, pairs[:, 4])
    np.testing.assert_array_equal(products.shop.lengths, pairs[:, 5])
    np.testing.assert_array_equal(products.target.lengths, pairs[:, 6])
    sampler = PairSampler(products, 0, categories=len(products.categories), items=len(products), seed=0)
    np.testing.assert_array_equal(np.bincount(sampler.draw(0).product), pairs[:, 7])


@pytest.mark.parametrize("partition", [0, 1])
def test_structure_of_the_rule_of_ws6_on_the_whole_list(partition):
    products = world_target_products()
    listed = matches_of_links(world_evidence(partition).similar, products)
    made = world_products(links_of_matches(best_per_source(listed), products))
    expected = golden(f"weighting_p{partition}")["struct_WS6raw"]
    np.testing.assert_array_equal(structure(made, (CONSUMER, SHOP, LINKED)), expected)


def ordered(table: np.ndarray) -> np.ndarray:
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize("partition", [0, 1])
def test_base_structure(partition):
    base = golden(f"weighting_p{partition}")["base_struct"]
    made = structure(world_products(world_links("base", partition)), (CONSUMER, SHOP, LINKED))
    # The pictures of a product are a set: the reference lists them cluster by cluster, we in file order.
    np.testing.assert_array_equal(ordered(made), ordered(base[base[:, 0] < TARGET_ONLY]))


@pytest.mark.parametrize("partition", [0, 1])
def test_target_only_clusters_are_the_distinct_entries_of_the_reference(partition):
    base = golden(f"weighting_p{partition}")["base_struct"]
    base = base[base[:, 0] >= TARGET_ONLY]
    alone = ("00000", "00001", "00003", "00004", "00005")
    expected, n_entries = set(), 0
    for category, entry in np.unique(base[:, :2], axis=0):
        rows = base[(base[:, 0] == category) & (base[:, 1] == entry), 4]
        expected.add((alone[category - TARGET_ONLY], *(rows - len(part("DeepFashion", "Shop")[1]))))
        n_entries += 1
    products = world_products(concatenate([]), tuple(world_clusters(partition)))
    assert products.categories[TARGET_ONLY:] == alone
    category = np.searchsorted(products.bounds, np.flatnonzero(~products.of_source), side="right") - 1
    made = [
        (products.categories[place], *products.target[index])
        for place, index in zip(category, np.flatnonzero(~products.of_source), strict=True)
    ]
    assert len(made) == len(expected) < n_entries
    assert set(made) == expected


def test_structure_of_the_source_alone():
    products = world_products(concatenate([]))
    base = golden("weighting_p0")["base_struct"]
    expected = base[np.isin(base[:, 3], (CONSUMER, SHOP)) & (base[:, 0] < TARGET_ONLY)]
    np.testing.assert_array_equal(structure(products, (CONSUMER, SHOP)), expected)
    assert len(products.target.values) == 0
