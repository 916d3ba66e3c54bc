"""What an evaluation found, query by query, and its summary."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.evaluation.metrics.cmc import cmc_curve

NEVER = np.iinfo(np.int64).max  # rank of what is not in the gallery


@dataclass(frozen=True)
class RetrievalResult:
    """Figures of n queries, those that have a relevant gallery picture, sorted by group, then by query.

    query (n,) int64: index of the query; group (n,) int64: index into `groups`; label (n,), int or str: what it
    searches, the item in most protocols; values: metric -> (n,) float64;
    first_rank (n,) int64: rank of the first relevant picture, from 1; NEVER for a query that has none and counts.
    groups: those of queries and gallery, sorted, in most protocols categories; dropped (C,) int64: queries of each
    that have no relevant picture and are left out. whole: figures that are not means over queries.
    item (n,), where given: what a query is drawn with by the bootstrap, where that is not its label, and the mean of
    all groups is one over queries.
    """

    query: np.ndarray
    group: np.ndarray
    label: np.ndarray
    values: Mapping[str, np.ndarray]
    first_rank: np.ndarray
    groups: tuple
    dropped: np.ndarray
    whole: Mapping[str, float] = field(default_factory=dict)
    item: np.ndarray | None = None

    @property
    def strata(self) -> np.ndarray:
        """(n,) int64 groups that a mean of all is the unweighted mean over: one where it is over queries."""
        return self.group if self.item is None else np.zeros_like(self.group)

    @property
    def drawn(self) -> np.ndarray:
        """(n,) int or str: queries that are drawn together in a stratum."""
        return self.label if self.item is None else self.item

    @property
    def unanswered(self) -> int:
        """Number of the queries here that have no relevant picture."""
        return int((self.first_rank == NEVER).sum())

    @property
    def n_queries(self) -> np.ndarray:
        """(C,) int64 evaluated queries of each group."""
        return np.bincount(self.group, minlength=len(self.groups))

    def title_of(self, index: int) -> str:
        """What the group is called in reports; one without a name is everything, "all"."""
        return str(self.groups[index]) or "all"

    def metrics(self) -> np.ndarray:
        """(n, M) float64: every metric of `values` for every query."""
        return np.stack(list(self.values.values()), axis=1)

    def chosen(self, names: Collection[str] | None = None) -> np.ndarray:
        """Indices of the groups with at least one query, only those in `names` if given."""
        wanted = [names is None or name in names for name in self.groups]
        return np.flatnonzero(wanted & (self.n_queries > 0))

    def first_queries(self, per_group: int) -> np.ndarray:
        """The first `per_group` evaluated queries of every group, int64: always the same, whatever the model."""
        chosen = [self.query[self.group == index][:per_group] for index in range(len(self.groups))]
        return np.concatenate(chosen)

    def summary(self, aligned: Collection[str]) -> dict[str, Any]:
        """Means as {"all": ..., "aligned": ..., "categories": {group: ...}}, ready for JSON.

        "all" and "aligned" are unweighted means over the groups that have a query (those in `aligned` for the
        latter), or means over their queries where the result has items, with the numbers of `categories` averaged, of
        `empty_categories` left out for want of a query, of `queries` and of `dropped` queries; "all" has the figures of
        `whole` too. What is undefined is None.
        """
        means = self._group_means()
        return {
            "all": self._mean(means, self.groups) | {name: _plain(value) for name, value in self.whole.items()},
            "aligned": self._mean(means, [name for name in self.groups if name in aligned]),
            "categories": {
                self.title_of(index): {**self._named(means[index]), **self._counts([index])}
                for index in range(len(self.groups))
            },
        }

    def means_by(self, names: np.ndarray) -> dict[str, dict[str, Any]]:
        """Means over the queries of each of `names` (Q,) str, sorted, whatever their groups, with their numbers.

        `names` has one for every query, those that were dropped too.
        """
        values, answered = self.metrics(), names[self.query]
        found = {}
        for name in np.unique(names).tolist():
            rows = answered == name
            mean = values[rows].mean(axis=0) if rows.any() else np.full(values.shape[1], np.nan)
            counts = {"queries": int(rows.sum()), "dropped": int((names == name).sum() - rows.sum())}
            found[name] = self._named(mean) | counts
        return found

    def cmc_curve(self, length: int, names: Collection[str] | None = None) -> np.ndarray:
        """(length,) float64 CMC at 1..length, unweighted mean over the groups (those in `names` if given)."""
        chosen = np.isin(self.group, self.chosen(names))
        strata = [chosen & (self.strata == index) for index in np.unique(self.strata[chosen])]
        curves = [cmc_curve(self.first_rank[rows], length) for rows in strata]
        return np.mean(curves, axis=0) if curves else np.full(length, np.nan)

    def _group_means(self) -> np.ndarray:
        """(C, M) float64, NaN for a group without a query."""
        sums = np.zeros((len(self.groups), len(self.values)))
        np.add.at(sums, self.group, self.metrics())
        with np.errstate(invalid="ignore"):
            return sums / self.n_queries[:, None]

    def _mean(self, means: np.ndarray, names: Collection[str]) -> dict[str, Any]:
        chosen = self.chosen(names)
        mean = np.full(len(self.values), np.nan)
        if len(chosen):
            mean = (means[chosen] if self.item is None else self.metrics()[np.isin(self.group, chosen)]).mean(axis=0)
        members = [index for index, name in enumerate(self.groups) if name in names]
        sizes = {"categories": len(chosen), "empty_categories": len(members) - len(chosen)}
        return {**self._named(mean), **sizes, **self._counts(members)}

    def _counts(self, members: list[int]) -> dict[str, int]:
        return {"queries": int(self.n_queries[members].sum()), "dropped": int(self.dropped[members].sum())}

    def _named(self, means: np.ndarray) -> dict[str, float | None]:
        return {name: _plain(value) for name, value in zip(self.values, means, strict=True)}


def with_unanswered(
    result: RetrievalResult, groups: np.ndarray, labels: np.ndarray, items: np.ndarray
) -> RetrievalResult:
    """The same of all queries, of these groups, labels and items (Q,): 0 in every metric where nothing can be found.

    So the mean of average precisions is defined for retrieval by attributes (RPF's evaluation).
    """
    group = np.searchsorted(np.array(result.groups), groups)
    query = np.argsort(group, kind="stable")
    place = np.empty_like(query)
    place[query] = np.arange(len(query))
    answered = place[result.query]
    first_rank = np.full(len(query), NEVER)
    first_rank[answered] = result.first_rank
    values = {name: np.zeros(len(query)) for name in result.values}
    for name, known in result.values.items():
        values[name][answered] = known
    return replace(
        result,
        query=query,
        group=group[query],
        label=labels[query],
        values=values,
        first_rank=first_rank,
        dropped=np.zeros_like(result.dropped),
        item=items[query],
    )


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
