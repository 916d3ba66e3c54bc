"""What an evaluation found, query by query, and its summary."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.constants import CMC_RANKS, MAP, MAP_TRAPEZOIDAL, cmc_key
from pipeline.evaluation.cmc import cmc_curve

METRICS = (MAP, MAP_TRAPEZOIDAL, *map(cmc_key, CMC_RANKS))


@dataclass(frozen=True)
class RetrievalResult:
    """Figures of the n queries that have a relevant gallery picture, sorted by category, then by query.

    query (n,) int64: index of the query; category (n,) int64: index into `categories`; ap, ap_trapezoidal (n,)
    float64; first_rank (n,) int64: rank of the first relevant picture, from 1.
    categories: all names of queries and gallery, sorted; dropped (C,) int64: queries of each that have no relevant
    picture and are left out.
    """

    query: np.ndarray
    category: np.ndarray
    ap: np.ndarray
    ap_trapezoidal: np.ndarray
    first_rank: np.ndarray
    categories: tuple[str, ...]
    dropped: np.ndarray

    @property
    def n_queries(self) -> np.ndarray:
        """(C,) int64 evaluated queries of each category."""
        return np.bincount(self.category, minlength=len(self.categories))

    def metrics(self) -> np.ndarray:
        """(n, M) float64: every metric of `METRICS` for every query."""
        hits = [self.first_rank <= k for k in CMC_RANKS]
        return np.stack([self.ap, self.ap_trapezoidal, *hits], axis=1).astype(np.float64)

    def chosen(self, names: Collection[str] | None = None) -> np.ndarray:
        """Indices of the categories with at least one query, only those in `names` if given."""
        wanted = [names is None or name in names for name in self.categories]
        return np.flatnonzero(wanted & (self.n_queries > 0))

    def summary(self, aligned: Collection[str]) -> dict[str, Any]:
        """Means as {"all": ..., "aligned": ..., "categories": {name: ...}}, ready for JSON.

        "all" and "aligned" are unweighted means over the categories that have a query (those in `aligned` for the
        latter), with the numbers of `categories` averaged, of `empty_categories` left out for want of a query, of
        `queries` and of `dropped` queries. A mean over nothing is None.
        """
        by_category = self._category_means()
        return {
            "all": self._mean(by_category, self.categories),
            "aligned": self._mean(by_category, [name for name in self.categories if name in aligned]),
            "categories": {
                name: {**_named(by_category[index]), **self._counts([index])}
                for index, name in enumerate(self.categories)
            },
        }

    def cmc_curve(self, length: int, names: Collection[str] | None = None) -> np.ndarray:
        """(length,) float64 CMC at 1..length, unweighted mean over the categories (those in `names` if given)."""
        curves = [cmc_curve(self.first_rank[self.category == index], length) for index in self.chosen(names)]
        return np.mean(curves, axis=0) if curves else np.full(length, np.nan)

    def _category_means(self) -> np.ndarray:
        """(C, M) float64, NaN for a category without a query."""
        sums = np.zeros((len(self.categories), len(METRICS)))
        np.add.at(sums, self.category, self.metrics())
        with np.errstate(invalid="ignore"):
            return sums / self.n_queries[:, None]

    def _mean(self, by_category: np.ndarray, names: Collection[str]) -> dict[str, Any]:
        chosen = self.chosen(names)
        mean = by_category[chosen].mean(axis=0) if len(chosen) else np.full(len(METRICS), np.nan)
        members = [index for index, name in enumerate(self.categories) if name in names]
        sizes = {"categories": len(chosen), "empty_categories": len(members) - len(chosen)}
        return {**_named(mean), **sizes, **self._counts(members)}

    def _counts(self, members: list[int]) -> dict[str, int]:
        return {"queries": int(self.n_queries[members].sum()), "dropped": int(self.dropped[members].sum())}


def _named(values: np.ndarray) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else float(value) for name, value in zip(METRICS, values, strict=True)}
