"""Which queries search which gallery. A gallery picture is relevant when it shows the item of the query."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pipeline.constants import Split
from pipeline.errors import UserError
from pipeline.evaluation.average_precision import average_precision, trapezoidal_average_precision
from pipeline.evaluation.cmc import first_ranks
from pipeline.evaluation.results import RetrievalResult
from pipeline.finite import check_finite
from pipeline.ragged import Ragged
from pipeline.retrieval.ranking import relevant_ranks, top_k


@dataclass(frozen=True)
class EmbeddedPictures:
    """One side of a search: embeddings (N, D), and the items and categories (N,) str the pictures show."""

    embeddings: Tensor
    items: np.ndarray
    categories: np.ndarray

    def take(self, rows: np.ndarray) -> "EmbeddedPictures":
        """The pictures with these indices (k,), in this order."""
        index = torch.from_numpy(rows).to(self.embeddings.device)
        return EmbeddedPictures(self.embeddings[index], self.items[rows], self.categories[rows])


def street2shop(
    queries: EmbeddedPictures,
    gallery: EmbeddedPictures,
    *,
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
) -> RetrievalResult:
    """Every query searches the gallery pictures of its own category (Street2Shop; Kiapour et al., ICCV 2015).

    Queries without a relevant picture in their category are dropped and counted.
    Raises UserError for NaN or infinite embeddings, and when no query is left in any category.
    """
    check_finite(queries.embeddings, "query embeddings")
    check_finite(gallery.embeddings, "gallery embeddings")
    names = np.unique(np.concatenate([queries.categories, gallery.categories]))
    used, category, ranks = [], [], []
    dropped = np.zeros(len(names), dtype=np.int64)
    for index, rows, shown in _by_category(names, queries, gallery):
        kept = rows[np.isin(queries.items[rows], gallery.items[shown])]
        dropped[index] = len(rows) - len(kept)
        if not len(kept):
            continue
        used.append(kept)
        category.append(np.full(len(kept), index))
        ranks.append(
            relevant_ranks(
                queries.embeddings[kept],
                gallery.embeddings[shown],
                queries.items[kept],
                gallery.items[shown],
                dtype=dtype,
                block_queries=block_queries,
            )
        )
    if not used:
        raise UserError(
            f"evaluate: none of the {len(queries.items)} queries shows an item that the gallery of its category has; "
            "check the columns item and category of the query and gallery rows"
        )
    ranks = Ragged.stack(ranks)
    return RetrievalResult(
        query=np.concatenate(used),
        category=np.concatenate(category),
        ap=average_precision(ranks),
        ap_trapezoidal=trapezoidal_average_precision(ranks),
        first_rank=first_ranks(ranks),
        categories=tuple(names.tolist()),
        dropped=dropped,
    )


def deepfashion(
    queries: EmbeddedPictures,
    gallery: EmbeddedPictures,
    *,
    dtype: torch.dtype = torch.float32,
    block_queries: int | None = None,
) -> RetrievalResult:
    """Every query searches the whole gallery (DeepFashion consumer-to-shop), as one category named "all"."""
    return street2shop(_pooled(queries), _pooled(gallery), dtype=dtype, block_queries=block_queries)


def top_k_in_category(
    queries: EmbeddedPictures, gallery: EmbeddedPictures, k: int, *, dtype: torch.dtype = torch.float32
) -> np.ndarray:
    """The first `k` gallery rows of the query's category, best first: (Q, k) int64, -1 beyond a short gallery."""
    best = np.full((len(queries.items), k), -1, dtype=np.int64)
    for _, rows, shown in _by_category(np.unique(queries.categories), queries, gallery):
        found = shown[top_k(queries.embeddings[rows], gallery.embeddings[shown], k, dtype=dtype)]
        best[rows, : found.shape[1]] = found
    return best


def top_k_overall(
    queries: EmbeddedPictures, gallery: EmbeddedPictures, k: int, *, dtype: torch.dtype = torch.float32
) -> np.ndarray:
    """The first `k` rows of the whole gallery, best first: (Q, k) int64, -1 beyond a short gallery."""
    return top_k_in_category(_pooled(queries), _pooled(gallery), k, dtype=dtype)


@dataclass(frozen=True)
class Protocol:
    """`score`: (queries, gallery) -> figures; `top_k`: (queries, gallery, k) -> the rows that the same search shows."""

    score: Callable[..., RetrievalResult]
    top_k: Callable[..., np.ndarray]


PROTOCOLS = {
    "street2shop": Protocol(street2shop, top_k_in_category),
    "deepfashion": Protocol(deepfashion, top_k_overall),
}


def find_protocol(name: str) -> Protocol:
    """The protocol `name`. Raises UserError listing the known ones."""
    if name not in PROTOCOLS:
        raise UserError(f"evaluate.protocol: unknown name {name!r}; known: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def query_rows(name: str, splits: np.ndarray) -> np.ndarray:
    """Which rows of `splits` (N,) str are queries, (N,) bool; the others are the gallery.

    Raises UserError for rows that are neither, but searched by themselves: the protocol `name` tells the two apart.
    """
    others = np.unique(splits[~np.isin(splits, [Split.QUERY, Split.GALLERY])])
    if len(others):
        raise UserError(
            f"evaluate.protocol: {name} needs query and gallery rows, but the evaluated part has rows of split "
            f"{others[0]}; choose a dataset that tells queries from gallery"
        )
    return splits == Split.QUERY


def _by_category(
    names: np.ndarray, queries: EmbeddedPictures, gallery: EmbeddedPictures
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield (index of the category, its query rows, its gallery rows)."""
    for index, name in enumerate(names):
        yield index, np.flatnonzero(queries.categories == name), np.flatnonzero(gallery.categories == name)


def _pooled(pictures: EmbeddedPictures) -> EmbeddedPictures:
    return replace(pictures, categories=np.full(len(pictures.items), "all"))
