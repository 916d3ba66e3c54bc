"""Several models under one protocol, and what one gains over another."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from pipeline.base.names import GAINS, SPLIT, ModelName
from pipeline.evaluation.bootstrap import gain_intervals, mean_intervals
from pipeline.evaluation.protocols import Protocol
from pipeline.evaluation.results import RetrievalResult
from pipeline.evaluation.sides import query_and_gallery
from pipeline.table.products import product_codes

ALL, ALIGNED = "all", "aligned"  # scopes of a mean

Gains = dict[str, dict[str, dict[str, dict[str, float] | None]]]  # pair of models -> scope -> metric -> interval


@dataclass(frozen=True)
class Evaluation:
    """What each model found.

    queries, gallery: rows of the table that search, and that are searched; results: model -> its figures, query by
    query; scopes: "all" and, where there is one, "aligned" -> the groups that a mean is over (None: all of them);
    gains: intervals of the gain for each pair of `GAINS` that there is; intervals: model -> group with a query -> the
    ends of the 95 % interval of its mean of the protocol's first headline metric; examples: what they show -> queries
    (E,) int64, see `_examples`, and nearest: the same -> model -> the gallery rows (E, k) int64 that these find first,
    -1 beyond a short gallery.
    """

    protocol: Protocol
    queries: pd.DataFrame
    gallery: pd.DataFrame
    results: Mapping[str, RetrievalResult]
    scopes: Mapping[str, Collection[str] | None]
    gains: Gains
    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    examples: Mapping[str, np.ndarray]
    nearest: Mapping[str, Mapping[str, np.ndarray]]

    def summaries(self) -> dict[str, dict[str, Any]]:
        """Model -> its means (`RetrievalResult.summary`), and "told_by": those by other columns of the queries."""
        return {
            name: result.summary(self.scopes.get(ALIGNED) or ()) | {"told_by": self._told_by(result)}
            for name, result in self.results.items()
        }

    def _told_by(self, result: RetrievalResult) -> dict[str, dict[str, Any]]:
        """Title of a column and one of its values -> the means of the queries that have it."""
        return {
            f"{column} {name}": means
            for column in self.protocol.told_by
            for name, means in result.means_by(self.queries[column].to_numpy(dtype=str)).items()
        }


def evaluate(
    models: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    protocol: Protocol,
    *,
    aligned: Collection[str] = (),
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    resamples: int = 1000,
    seed: int = 0,
    examples: int = 0,
    shown: int = 10,
) -> Evaluation:
    """The same searches with the embeddings of each of the models.

    models: name -> embeddings (N, D) of the rows of `table`, which are rows of the manifest (its index knows a
    picture) in the splits query, gallery and test; the first is the one that the others may gain over. `aligned`:
    groups whose mean is told apart, where any of them occurs. `resamples`, `seed`: of the intervals.
    `examples`: queries of every group, and of those that the last model puts right or wrong, that are listed with the
    `shown` pictures that they find first.
    Raises UserError for NaN or infinite embeddings, and when no query has anything to find.
    """
    query_rows, gallery_rows = query_and_gallery(table[SPLIT].to_numpy(dtype=str))
    sides = {}
    for name, embeddings in models.items():
        pictures = protocol.side(torch.from_numpy(embeddings).to(device), table)
        sides[name] = pictures.take(query_rows), pictures.take(gallery_rows)
    items = product_codes(table)[query_rows] if protocol.by_query else None
    results = {name: protocol.score(*searching, items=items, dtype=dtype) for name, searching in sides.items()}
    chosen = _examples(results, protocol.headline[0], examples)
    nearest = {
        what: {
            name: protocol.top_k(queries.take(some), gallery, shown, dtype=dtype)
            for name, (queries, gallery) in sides.items()
        }
        for what, some in chosen.items()
    }
    groups = {name for result in results.values() for name in result.groups}
    scopes = {ALL: None} | ({ALIGNED: set(aligned)} if groups & set(aligned) else {})
    return Evaluation(
        protocol=protocol,
        queries=table.iloc[query_rows],
        gallery=table.iloc[gallery_rows],
        results=results,
        scopes=scopes,
        gains=_gains(results, scopes, resamples=resamples, seed=seed),
        intervals={
            name: mean_intervals(result, protocol.headline[0], resamples=resamples, seed=seed)
            for name, result in results.items()
        },
        examples=chosen,
        nearest=nearest,
    )


def pair(after: str, before: str) -> str:
    """What the gain of one model over another is called in reports."""
    return f"{after} - {before}"


def _examples(results: Mapping[str, RetrievalResult], metric: str, count: int) -> dict[str, np.ndarray]:
    """Positions of queries: `query`, the first `count` of every group, whatever the models.

    `right`, `wrong`: up to `count` that gained, and lost, most in `metric` from the control to the last model.
    """
    *_, last = results
    examples = {"query": results[last].first_queries(count)}
    if ModelName.CONTROL in results and last != ModelName.CONTROL:
        gains = results[last].values[metric] - results[ModelName.CONTROL].values[metric]
        order = np.argsort(-gains, kind="stable")
        most, least = order[:count], order[::-1][:count]
        examples["right"] = results[last].query[most[gains[most] > 0]]
        examples["wrong"] = results[last].query[least[gains[least] < 0]]
    return examples


def _gains(
    results: Mapping[str, RetrievalResult],
    scopes: Mapping[str, Collection[str] | None],
    *,
    resamples: int,
    seed: int,
) -> Gains:
    return {
        pair(after, before): {
            scope: gain_intervals(results[before], results[after], names=names, resamples=resamples, seed=seed)
            for scope, names in scopes.items()
        }
        for after, before in GAINS
        if {after, before} <= set(results)
    }
