"""Protocols: how a query searches, and what is measured.

Where pictures search themselves (split `test`), every protocol lets each search all others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.names import (
    ATTRIBUTES,
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
from pipeline.evaluation.results import RetrievalResult, with_unanswered
from pipeline.evaluation.sides import (
    TakeSides,
    items_by_name,
    items_within_categories,
    products,
    values_of_attributes,
)
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
from pipeline.retrieval.search import Found, Side, Ties, nearest, search

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
    ties: which of equally similar gallery rows ranks before the others.
    by_query: a mean over all groups is one over queries, which count 0 in every metric when they have nothing to find;
    else it is one over groups, and such queries are left out.
    group: what a group is called.
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
    ties: Ties = "first"
    by_query: bool = False
    group: str = "category"
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
        return Side(
            embeddings, taken.labels, taken.groups, table.index.to_numpy() if taken.rows is None else taken.rows
        )

    def score(
        self, queries: Side, gallery: Side, *, items: np.ndarray | None = None, dtype: torch.dtype = torch.float32
    ) -> RetrievalResult:
        """All figures. `items` (Q,): what the bootstrap draws where a mean is over queries, by default the queries.

        Raises UserError for NaN or infinite embeddings, and when no query has anything to find.
        """
        found = search(queries, gallery, measure=self.measure, ties=self.ties, dtype=dtype)
        if not len(found.query):
            raise UserError(f"evaluate: none of the {len(queries)} queries {self._nothing_found(found)}")
        result = RetrievalResult(
            query=found.query,
            group=found.group,
            label=queries.labels[found.query],
            values=self._values(found.ranks),
            first_rank=first_ranks(found.ranks),
            groups=found.groups,
            dropped=found.dropped,
            whole={
                name: value
                for figures in progress(self.whole, what="figures of all pictures", unit="group")
                for name, value in figures.of(found, queries, gallery).items()
            },
        )
        if not self.by_query:
            return result
        items = np.arange(len(queries)) if items is None else items
        return with_unanswered(result, queries.groups, queries.labels, items)

    def top_k(self, queries: Side, gallery: Side, k: int, *, dtype: torch.dtype = torch.float32) -> np.ndarray:
        """The first `k` gallery rows that the search shows, best first: (Q, k) int64, -1 beyond a short gallery."""
        return nearest(queries, gallery, k, measure=self.measure, ties=self.ties, dtype=dtype)

    def _values(self, ranks: Ragged) -> dict[str, np.ndarray]:
        """Every metric of every query, some queries at a time: with few labels all ranks are many."""
        blocks = slices(len(ranks), rows_per_block(int(ranks.lengths.max(initial=1))))
        parts = [ranks.take(np.arange(part.start, part.stop)) for part in blocks]
        return {name: np.concatenate([metric_of(name)(part) for part in parts]) for name in self.metrics}

    def _nothing_found(self, found: Found) -> str:
        if self.group == "attribute":
            return "has a value that the gallery of its attribute has; check the queries and candidates of the dataset"
        where = "the gallery of its category" if any(found.groups) else "the gallery"
        return f"shows an item that {where} has; check the columns item and category of the query, gallery or test rows"


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
    # the literature of attribute-specific retrieval (ASEN, RPF): a row is a picture, an attribute and a value of it
    ATTRIBUTES: Protocol(
        values_of_attributes,
        (MAP, recall_key(1), recall_key(10)),
        (MAP, recall_key(1)),
        scope="Mean over all queries, each of which searches the candidates of its attribute",
        ties="last",
        by_query=True,
        group="attribute",
        datasets=("fashionai", "darn", "deepfashion_attribute_retrieval"),
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


def choose_protocol(name: str, datasets: Sequence[str], splits: np.ndarray, *, of_attributes: bool = False) -> str:
    """The name of the protocol: `name`, or for auto the one that the literature of the data uses.

    That is `attributes` for features `of_attributes` and for data sets that it lists, `dml` where pictures of these
    `splits` (N,) search themselves, else the one that lists the set, else street2shop.
    Raises UserError for an unknown name, for any but `attributes` where features are of pictures and attributes, and
    for auto where `datasets`, those that are evaluated, differ in theirs.
    """
    check_protocol(name)
    if of_attributes and name not in (AUTO, ATTRIBUTES):
        raise UserError(
            f"evaluate.protocol: {name} compares pictures, and the model embeds a picture for an attribute; "
            f"take {ATTRIBUTES} or {AUTO}"
        )
    if name != AUTO:
        return name
    if of_attributes:
        return ATTRIBUTES
    itself = (splits == Split.TEST).any()
    chosen = {dataset: _of_literature(dataset, itself) for dataset in datasets}
    if len(set(chosen.values())) > 1:
        told = ", ".join(f"{protocol} of {dataset}" for dataset, protocol in chosen.items())
        raise UserError(f"evaluate.protocol: {AUTO} is {told}; name one that they are evaluated under together")
    return next(iter(chosen.values()))


def _of_literature(dataset: str, itself: bool) -> str:
    """The name of the protocol that the literature of a data set uses; `itself`: its pictures search one another."""
    if itself and dataset not in PROTOCOLS[ATTRIBUTES].datasets:
        return "dml"
    return next((known for known, protocol in PROTOCOLS.items() if dataset in protocol.datasets), "street2shop")
