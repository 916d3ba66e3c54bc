"""What an evaluation found, query by query, and its summary."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.evaluation.metrics.cmc import cmc_curve


@dataclass(frozen=True)
class RetrievalResult:
    """Figures of the n queries that have a relevant gallery picture, sorted by category, then by query.

    query (n,) int64: index of the query; category (n,) int64: index into `categories`; values: metric -> (n,) float64;
    first_rank (n,) int64: rank of the first relevant picture, from 1.
    categories: all names of queries and gallery, sorted; dropped (C,) int64: queries of each that have no relevant
    picture and are left out. whole: figures that are not means over queries.
    """

    query: np.ndarray
    category: np.ndarray
    values: Mapping[str, np.ndarray]
    first_rank: np.ndarray
    categories: tuple[str, ...]
    dropped: np.ndarray
    whole: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_queries(self) -> np.ndarray:
        """(C,) int64 evaluated queries of each category."""
        return np.bincount(self.category, minlength=len(self.categories))

    def metrics(self) -> np.ndarray:
        """(n, M) float64: every metric of `values` for every query."""
        return np.stack(list(self.values.values()), axis=1)

    def chosen(self, names: Collection[str] | None = None) -> np.ndarray:
        """Indices of the categories with at least one query, only those in `names` if given."""
        wanted = [names is None or name in names for name in self.categories]
        return np.flatnonzero(wanted & (self.n_queries > 0))

    def summary(self, aligned: Collection[str]) -> dict[str, Any]:
        """Means as {"all": ..., "aligned": ..., "categories": {name: ...}}, ready for JSON.

        "all" and "aligned" are unweighted means over the categories that have a query (those in `aligned` for the
        latter), with the numbers of `categories` averaged, of `empty_categories` left out for want of a query, of
        `queries` and of `dropped` queries; "all" has the figures of `whole` too. What is undefined is None.
        """
        by_category = self._category_means()
        return {
            "all": self._mean(by_category, self.categories)
            | {name: _plain(value) for name, value in self.whole.items()},
            "aligned": self._mean(by_category, [name for name in self.categories if name in aligned]),
            "categories": {
                name: {**self._named(by_category[index]), **self._counts([index])}
                for index, name in enumerate(self.categories)
            },
        }

    def cmc_curve(self, length: int, names: Collection[str] | None = None) -> np.ndarray:
        """(length,) float64 CMC at 1..length, unweighted mean over the categories (those in `names` if given)."""
        curves = [cmc_curve(self.first_rank[self.category == index], length) for index in self.chosen(names)]
        return np.mean(curves, axis=0) if curves else np.full(length, np.nan)

    def _category_means(self) -> np.ndarray:
        """(C, M) float64, NaN for a category without a query."""
        sums = np.zeros((len(self.categories), len(self.values)))
        np.add.at(sums, self.category, self.metrics())
        with np.errstate(invalid="ignore"):
            return sums / self.n_queries[:, None]

    def _mean(self, by_category: np.ndarray, names: Collection[str]) -> dict[str, Any]:
        chosen = self.chosen(names)
        mean = by_category[chosen].mean(axis=0) if len(chosen) else np.full(len(self.values), np.nan)
        members = [index for index, name in enumerate(self.categories) if name in names]
        sizes = {"categories": len(chosen), "empty_categories": len(members) - len(chosen)}
        return {**self._named(mean), **sizes, **self._counts(members)}

    def _counts(self, members: list[int]) -> dict[str, int]:
        return {"queries": int(self.n_queries[members].sum()), "dropped": int(self.dropped[members].sum())}

    def _named(self, means: np.ndarray) -> dict[str, float | None]:
        return {name: _plain(value) for name, value in zip(self.values, means, strict=True)}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
