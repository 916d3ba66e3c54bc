"""Protocols: how a query searches, and what is measured.

Where pictures search themselves (split `test`), every protocol lets each search all others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import CMC_RANKS, MAP, MAP_AT_R, MAP_TRAPEZOIDAL, R_PRECISION, Split, cmc_key, recall_key
from pipeline.base.progress import progress
from pipeline.evaluation.metrics.at_r import map_at_r, r_precision
from pipeline.evaluation.metrics.average_precision import average_precision, trapezoidal_average_precision
from pipeline.evaluation.metrics.cmc import first_ranks
from pipeline.evaluation.results import RetrievalResult
from pipeline.evaluation.searches import EmbeddedPictures, first_found, search
from pipeline.evaluation.whole import CLUSTERS_AND_SPREAD, DML_RANKS, PUBLISHED_DML, PUBLISHED_INSHOP, Group

AUTO = "auto"
INSHOP_RANKS = (1, 10, 20, 30, 40, 50)

Metric = Callable[[Ragged], np.ndarray]  # ranks of n queries -> (n,) float64


@dataclass(frozen=True)
class Protocol:
    """A name's meaning.

    by_category: a query searches the gallery pictures of its category, else the whole gallery.
    metrics: name -> its value for every query.
    headline: the metrics whose gains are told; the first is shown category by category.
    whole: groups of figures of all pictures together, of which the closing table shows `shown_whole`.
    datasets: those of pipeline/datasets whose literature uses it.
    by_pair: items of different categories differ, whatever their names; else names alone are compared, as published.
    """

    by_category: bool
    metrics: Mapping[str, Metric]
    headline: tuple[str, ...]
    whole: tuple[Group, ...] = ()
    shown_whole: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    by_pair: bool = False

    @property
    def whole_names(self) -> tuple[str, ...]:
        """Figures of all pictures together; some data lack some."""
        return tuple(name for group in self.whole for name in group.names)

    @property
    def shown(self) -> tuple[str, ...]:
        """Metrics that the closing table has columns of."""
        return (*self.metrics, *self.shown_whole)

    def score(
        self, queries: EmbeddedPictures, gallery: EmbeddedPictures, *, dtype: torch.dtype = torch.float32
    ) -> RetrievalResult:
        """All figures. Raises UserError for NaN or infinite embeddings, and when no query shows a gallery item."""
        if self.by_pair:
            queries, gallery = (_named_with_category(side) for side in (queries, gallery))
        found = search(queries, gallery, by_category=self.by_category, dtype=dtype)
        return RetrievalResult(
            query=found.query,
            category=found.category,
            values={name: metric(found.ranks) for name, metric in self.metrics.items()},
            first_rank=first_ranks(found.ranks),
            categories=found.categories,
            dropped=found.dropped,
            whole={
                name: value
                for group in progress(self.whole, what="figures of all pictures", unit="group")
                for name, value in group.of(found, queries, gallery).items()
            },
        )

    def top_k(
        self, queries: EmbeddedPictures, gallery: EmbeddedPictures, k: int, *, dtype: torch.dtype = torch.float32
    ) -> np.ndarray:
        """The first `k` gallery rows that the search shows, best first: (Q, k) int64, -1 beyond a short gallery."""
        return first_found(queries, gallery, k, by_category=self.by_category, dtype=dtype)


def recall_at(k: int) -> Metric:
    """1 for a query with any relevant picture in the first k, else 0."""
    return lambda ranks: (first_ranks(ranks) <= k).astype(np.float64)


_SHOP = {
    MAP_TRAPEZOIDAL: trapezoidal_average_precision,
    MAP: average_precision,
    **{cmc_key(k): recall_at(k) for k in CMC_RANKS},
}
_SHOP_HEADLINE = (MAP_TRAPEZOIDAL, cmc_key(1), cmc_key(10))

PROTOCOLS = {
    # Kiapour, Han, Lazebnik, Berg, Berg, "Where to Buy It", ICCV 2015
    "street2shop": Protocol(True, _SHOP, _SHOP_HEADLINE),
    # Liu, Luo, Qiu, Wang, Tang, "DeepFashion", CVPR 2016: consumer-to-shop, and In-shop
    "deepfashion": Protocol(False, _SHOP, _SHOP_HEADLINE, datasets=("deepfashion_consumer_to_shop",)),
    "inshop": Protocol(
        False,
        {**{recall_key(k): recall_at(k) for k in INSHOP_RANKS}, MAP: average_precision},
        (MAP, recall_key(1), recall_key(10)),
        whole=(PUBLISHED_INSHOP,),
        datasets=("deepfashion_inshop",),
    ),
    # the literature of deep metric learning, where the pictures of unseen classes search one another
    "dml": Protocol(
        False,
        {**{recall_key(k): recall_at(k) for k in DML_RANKS}, MAP_AT_R: map_at_r, R_PRECISION: r_precision},
        (MAP_AT_R, recall_key(1), recall_key(8)),
        by_pair=True,
        whole=(CLUSTERS_AND_SPREAD, PUBLISHED_DML),
        shown_whole=("nmi", "f1"),
    ),
}


def check_protocol(name: str) -> None:
    """Raise UserError, listing the known ones, unless `name` is a protocol or auto."""
    if name not in (AUTO, *PROTOCOLS):
        raise UserError(f"evaluate.protocol: unknown name {name!r}; known: {', '.join([AUTO, *PROTOCOLS])}")


def choose_protocol(name: str, dataset: str, splits: np.ndarray) -> str:
    """The name of the protocol: `name`, or for auto the one that the literature of the data uses.

    That is `dml` where pictures of these `splits` (N,) search themselves, else the one that lists `dataset`, else
    street2shop. Raises UserError for an unknown name.
    """
    check_protocol(name)
    if name != AUTO:
        return name
    if (splits == Split.TEST).any():
        return "dml"
    return next((known for known, protocol in PROTOCOLS.items() if dataset in protocol.datasets), "street2shop")


def _named_with_category(pictures: EmbeddedPictures) -> EmbeddedPictures:
    pairs = [f"{category}\n{item}" for category, item in zip(pictures.categories, pictures.items, strict=True)]
    return replace(pictures, items=np.array(pairs))
