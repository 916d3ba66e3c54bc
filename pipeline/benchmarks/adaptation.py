"""A step of the adaptation against its matrix products, and drawing its pairs against the step."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.adaptation.loss import Rows, backward_step
from pipeline.adaptation.pairs import Pairs, PairSampler
from pipeline.adaptation.products import Products
from pipeline.arrays.ragged import Ragged
from pipeline.benchmarks.case import Case, Trial
from pipeline.models.head import Head

PRODUCTS = "matrix products: distinct rows forward, weight gradient, distances in each category"
MARGIN = 0.3


def step_case(categories: int, items: int, dim: int) -> Case:
    """One step of `items` products in each of `categories`, features and embeddings of `dim` values."""
    name = f"adaptation step {categories} x {items} products, {dim}-d"
    return Case("adapt", name, PRODUCTS, partial(_prepare_step, categories, items, dim), 1.25, 1500)


def draw_case(categories: int, items: int, dim: int) -> Case:
    """Drawing the pairs of the step of `step_case`."""
    name = f"drawing {categories} x {items} products"
    return Case("adapt", name, "the step itself", partial(_prepare_draw, categories, items, dim), 0.03)


def _prepare_step(categories: int, items: int, dim: int, device: torch.device, _: Path) -> Trial:
    sampler, rows, head = _world(categories, items, dim, device)
    features, sizes = _distinct(rows.pooled, sampler.draw(0))
    return Trial(partial(_step, head, rows, sampler), partial(_products, head.weight, features, sizes))


def _prepare_draw(categories: int, items: int, dim: int, device: torch.device, _: Path) -> Trial:
    sampler, rows, head = _world(categories, items, dim, device)
    return Trial(partial(sampler.draw, 0), partial(_step, head, rows, sampler))


def _step(head: Head, rows: Rows, sampler: PairSampler) -> float:
    head.zero_grad()
    return backward_step(head, rows, sampler.draw(0), MARGIN).item()


def _distinct(pooled: Tensor, pairs: Pairs) -> tuple[Tensor, list[int]]:
    """The features of the distinct rows of each category, one category after the other, and how many there are."""
    sides, category = np.concatenate([pairs.first, pairs.second]), np.tile(pairs.category, 2)
    rows = [np.unique(sides[category == number]) for number in np.unique(category)]
    return pooled[torch.from_numpy(np.concatenate(rows)).to(pooled.device)], [len(part) for part in rows]


@torch.no_grad()
def _products(weight: Tensor, features: Tensor, sizes: list[int]) -> None:
    embeddings = features @ weight.T
    torch.mm(embeddings.T, features)
    for own in embeddings.split(sizes):
        torch.mm(own, own.T)


def _world(categories: int, items: int, dim: int, device: torch.device) -> tuple[PairSampler, Rows, Head]:
    """Three times the products of a step, with 1-2 shop, 2-5 consumer and 0-2 linked pictures each."""
    rng = np.random.default_rng(0)
    per_category = 3 * items
    n = categories * per_category
    shop, consumer, target = (_pictures(rng, n, *span) for span in ((1, 2), (2, 5), (0, 2)))
    consumer = Ragged(consumer.values + len(shop.values), consumer.offsets)
    n_source = len(shop.values) + len(consumer.values)
    names = tuple(f"{number:03d}" for number in range(categories))
    products = Products(names, np.arange(categories + 1) * per_category, np.arange(n), consumer, shop, target)
    generator = torch.Generator().manual_seed(0)
    pooled = torch.rand(n_source + len(target.values), dim, generator=generator)
    head = Head.of(torch.randn(dim, dim, generator=generator) / dim**0.5, torch.zeros(dim), norm_features=True)
    sampler = PairSampler(products, n_source, categories=categories, items=items, seed=0)
    domain = torch.zeros(len(pooled), dtype=torch.int64)  # a head without a bias a domain does not ask
    return sampler, Rows(pooled.to(device), domain.to(device)), head.to(device)


def _pictures(rng: np.random.Generator, n: int, fewest: int, most: int) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum(rng.integers(fewest, most + 1, n))])
    return Ragged(np.arange(offsets[-1]), offsets)
