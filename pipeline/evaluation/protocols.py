"""Protocols: how a query searches, and what is measured.

Where pictures search themselves (split `test`), every protocol lets each search all others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.base.errors import UserError
from pipeline.base.names import (
    CATEGORY,
    CMC_RANKS,
    DATASET,
    MAP,
    MAP_AT_R,
    MAP_TRAPEZOIDAL,
    R_PRECISION,
    Split,
    cmc_key,
    recall_key,
)
from pipeline.base.progress import progress
from pipeline.evaluation.metric import metric_names, metric_of
from pipeline.evaluation.metrics.cmc import first_ranks
from pipeline.evaluation.results import RetrievalResult
from pipeline.evaluation.sides import TakeSides, items_by_name, items_within_categories, products
from pipeline.evaluation.whole import (
    CLUSTERS_AND_SPREAD,
    DML_RANKS,
    MMP_KEY,
    MMP_PLACES,
    MMP_TIES,
    PUBLISHED_DML,
    PUBLISHED_INSHOP,
    Figures,
)
from pipeline.retrieval.ranking import Measure
from pipeline.retrieval.search import Side, nearest, search

AUTO = "auto"
INSHOP_RANKS = (1, 10, 20, 30, 40, 50)


@dataclass(frozen=True)
class Protocol:
    """A name's meaning.

    sides: what a query searches, and for what (`pipeline.evaluation.sides`).
    metrics: keys of the metrics (`pipeline.evaluation.metric`), each with a value for every query.
    headline: the metrics whose gains are told; the first is shown group by group.
    scope: what a mean over all groups is, for the heading of its table.
    measure: by which the gallery is ranked: cosine, or euclidean, between the rows as they are.
    whole: figures of all pictures together, of which the closing table shows `shown_whole`.
    told_by: columns of the queries by whose values the metrics are told too, whatever the groups.
    datasets: those of pipeline/datasets whose literature uses it.
    """

    sides: TakeSides
    metrics: tuple[str, ...]
    headline: tuple[str, ...]
    scope: str = "Every query searches the whole gallery"
    measure: Measure = "cosine"
    whole: tuple[Figures, ...] = ()
    shown_whole: tuple[str, ...] = ()
    told_by: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()

    @property
    def whole_names(self) -> tuple[str, ...]:
        """Figures of all pictures together; some data lack some."""
        return tuple(name for figures in self.whole for name in figures.names)

    @property
    def shown(self) -> tuple[str, ...]:
        """Metrics that the closing table has columns of."""
        return (*self.metrics, *self.shown_whole)

    def side(self, embeddings: Tensor, table: pd.DataFrame) -> Side:
        """A side of a search from the rows of the manifest and their embeddings (N, D); its index knows a picture."""
        taken = self.sides(table)
        return Side(embeddings, taken.labels, taken.groups, table.index.to_numpy())

    def score(self, queries: Side, gallery: Side, *, dtype: torch.dtype = torch.float32) -> RetrievalResult:
        """All figures. Raises UserError for NaN or infinite embeddings, and when no query has anything to find."""
        found = search(queries, gallery, measure=self.measure, dtype=dtype)
        if not len(found.query):
            where = "the gallery of its category" if any(found.groups) else "the gallery"
            raise UserError(
                f"evaluate: none of the {len(queries)} queries shows an item that {where} has; "
                "check the columns item and category of the query, gallery or test rows"
            )
        return RetrievalResult(
            query=found.query,
            group=found.group,
            label=queries.labels[found.query],
            values={name: metric_of(name)(found.ranks) for name in self.metrics},
            first_rank=first_ranks(found.ranks),
            groups=found.groups,
            dropped=found.dropped,
            whole={
                name: value
                for figures in progress(self.whole, what="figures of all pictures", unit="group")
                for name, value in figures.of(found, queries, gallery).items()
            },
        )

    def top_k(self, queries: Side, gallery: Side, k: int, *, dtype: torch.dtype = torch.float32) -> np.ndarray:
        """The first `k` gallery rows that the search shows, best first: (Q, k) int64, -1 beyond a short gallery."""
        return nearest(queries, gallery, k, measure=self.measure, dtype=dtype)


_SHOP = (MAP_TRAPEZOIDAL, MAP, *map(cmc_key, CMC_RANKS))
_SHOP_HEADLINE = (MAP_TRAPEZOIDAL, cmc_key(1), cmc_key(10))

PROTOCOLS = {
    # Kiapour, Han, Lazebnik, Berg, Berg, "Where to Buy It", ICCV 2015
    "street2shop": Protocol(items_within_categories, _SHOP, _SHOP_HEADLINE, scope="Mean over all categories"),
    # Liu, Luo, Qiu, Wang, Tang, "DeepFashion", CVPR 2016: consumer-to-shop, and In-shop; names alone are compared
    "deepfashion": Protocol(items_by_name, _SHOP, _SHOP_HEADLINE, datasets=("deepfashion_consumer_to_shop",)),
    "inshop": Protocol(
        items_by_name,
        (*map(recall_key, INSHOP_RANKS), MAP),
        (MAP, recall_key(1), recall_key(10)),
        whole=(PUBLISHED_INSHOP,),
        datasets=("deepfashion_inshop",),
    ),
    # the literature of deep metric learning, where the pictures of unseen classes search one another
    "dml": Protocol(
        products,
        (*map(recall_key, DML_RANKS), MAP_AT_R, R_PRECISION),
        (MAP_AT_R, recall_key(1), recall_key(8)),
        whole=(CLUSTERS_AND_SPREAD, PUBLISHED_DML),
        shown_whole=("nmi", "f1"),
    ),
    # Google Universal Image Embedding Challenge, 2022: many domains in one gallery; a mean over all queries
    "universal": Protocol(
        products,
        (MMP_KEY, recall_key(1), recall_key(MMP_PLACES), MAP_AT_R),
        (MMP_KEY, recall_key(1), recall_key(MMP_PLACES)),
        whole=(MMP_TIES,),
        told_by=(CATEGORY, DATASET),
    ),
}


def with_metrics(protocol: Protocol, keys: Sequence[str]) -> Protocol:
    """The protocol with further metrics, each once. Raises UserError as `check_metrics`."""
    check_metrics(keys)
    return replace(protocol, metrics=tuple(dict.fromkeys([*protocol.metrics, *keys])))


def check_metrics(keys: Iterable[str]) -> None:
    """Raise UserError, listing the known ones, for a key that no metric has."""
    for key in keys:
        try:
            metric_of(key)
        except KeyError:
            known = ", ".join(f"{name}k" if name.endswith("@") else name for name in metric_names())
            raise UserError(f"evaluate.metrics: unknown metric {key!r}; known: {known}") from None


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
