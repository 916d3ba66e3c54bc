"""The whole built-in world: which items there are, their pictures, and the tables of them and of what they show."""

import csv
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from pipeline.base.names import (
    ATTRIBUTE,
    CATEGORY,
    DOMAIN,
    IMAGE,
    ITEM,
    META_DOMAIN,
    SPLIT,
    SUBCATEGORY,
    VALUE,
    Domain,
    MetaDomain,
    Split,
)
from pipeline.base.progress import progress
from pipeline.datasets.atelier.attributes import ATTRIBUTES as KNOWN
from pipeline.datasets.atelier.catalogue import SOURCE_CATEGORIES, TARGET_CATEGORIES
from pipeline.datasets.atelier.items import Item
from pipeline.datasets.atelier.scene.consumer import consumer_picture
from pipeline.datasets.atelier.scene.shop import shop_picture
from pipeline.datasets.atelier.styles import SOURCE, TARGET

MANIFEST, ATTRIBUTES = "manifest.csv", "attributes.csv"
COLUMNS = (IMAGE, ITEM, CATEGORY, DOMAIN, META_DOMAIN, SPLIT, SUBCATEGORY)
ATTRIBUTE_COLUMNS = (IMAGE, ATTRIBUTE, VALUE)
ITEMS_A_WORKER = 24  # fewer are drawn sooner than another process starts

Counts = tuple[int, int]  # fewest and most pictures of an item
Row = tuple[str, ...]


@dataclass(frozen=True)
class Sizes:
    """Items of each part and pictures an item."""

    source_items: int
    source_shop_images: Counts
    source_consumer_images: Counts
    target_train_items: int
    target_train_images: Counts
    target_test_items: int
    target_queries: Counts
    target_gallery: Counts
    image_size: int


@dataclass(frozen=True)
class Shot:
    """The pictures of an item that go to one split of one domain."""

    split: Split
    domain: Domain
    counts: Counts


@dataclass(frozen=True)
class Job:
    """One item to draw: everything a worker needs."""

    seed: int
    number: int
    meta_domain: MetaDomain
    shots: tuple[Shot, ...]
    image_size: int
    out: Path


def generate(out: Path, sizes: Sizes, seed: int, workers: int | None = None) -> None:
    """Draw the world into the folder `out`: `images/` and two tables, of them and of what they show.

    The same bytes for any number of `workers`. Starts processes by spawning, so a script that calls it needs the usual
    `if __name__ == "__main__"`.
    """
    jobs = list(_jobs(out, sizes, seed))
    workers = workers or max(1, min(os.cpu_count() or 1, len(jobs) // ITEMS_A_WORKER))
    if workers == 1:
        drawn = [draw_item(job) for job in progress(jobs, what="drawing", unit="item")]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            results = pool.map(draw_item, jobs, chunksize=8)
            drawn = list(progress(results, what="drawing", total=len(jobs), unit="item"))
    _write(out / MANIFEST, COLUMNS, (row for rows, _ in drawn for row in rows))
    _write(out / ATTRIBUTES, ATTRIBUTE_COLUMNS, (row for _, told in drawn for row in told))


def _write(path: Path, columns: Row, rows: Iterable[Row]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def _jobs(out: Path, sizes: Sizes, seed: int) -> Iterator[Job]:
    source = (
        Shot(Split.TRAIN, Domain.SHOP, sizes.source_shop_images),
        Shot(Split.TRAIN, Domain.CONSUMER, sizes.source_consumer_images),
    )
    train = (Shot(Split.TRAIN, Domain.SHOP, sizes.target_train_images),)
    test = (
        Shot(Split.GALLERY, Domain.SHOP, sizes.target_gallery),
        Shot(Split.QUERY, Domain.CONSUMER, sizes.target_queries),
    )
    for number in range(sizes.source_items):
        yield Job(seed, number, MetaDomain.SOURCE, source, sizes.image_size, out)
    for number in range(sizes.target_train_items + sizes.target_test_items):
        shots = train if number < sizes.target_train_items else test
        yield Job(seed, number, MetaDomain.TARGET, shots, sizes.image_size, out)


def draw_item(job: Job) -> tuple[list[Row], list[Row]]:
    """Write all pictures of one item; give their rows of the manifest, and those of their attributes."""
    of_source = job.meta_domain is MetaDomain.SOURCE
    seeds = (job.seed, 0 if of_source else 1, job.number)
    rng = np.random.default_rng([*seeds, 2])
    if of_source:
        category = silhouette = SOURCE_CATEGORIES[job.number % len(SOURCE_CATEGORIES)]
    else:
        category = list(TARGET_CATEGORIES)[job.number % len(TARGET_CATEGORIES)]
        silhouette = str(rng.choice(TARGET_CATEGORIES[category]))
    item = Item(seeds, silhouette, SOURCE if of_source else TARGET)
    name = f"{'s' if of_source else 't'}{job.number:05d}"
    rows: list[Row] = []
    told: list[Row] = []
    for kind, shot in enumerate(job.shots):
        for k in range(int(rng.integers(shot.counts[0], shot.counts[1] + 1))):
            picture_rng = np.random.default_rng([*seeds, 3 + kind, k])
            if shot.domain is Domain.SHOP:
                picture = shop_picture(item, picture_rng, job.image_size, first=k == 0)
            else:
                picture = consumer_picture(item, picture_rng, job.image_size)
            image = f"images/{job.meta_domain}/{shot.split}/{category}/{name}_{shot.domain}_{k}.jpg"
            path = job.out / image
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture.jpeg)
            rows.append((image, name, category, shot.domain, job.meta_domain, shot.split, silhouette))
            told += [(image, known, picture.told[known]) for known in KNOWN if known in picture.told]
    return rows, told
