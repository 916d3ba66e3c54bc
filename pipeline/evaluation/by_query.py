"""The figures of every single query, as a file from which intervals over items can be taken later."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipeline.base.names import DIGEST, ITEM, MODEL
from pipeline.evaluation.evaluate import ALIGNED, Evaluation

QUERY, GROUP, LABEL = "query", "group", "label"
KNOWN_BY = [QUERY, DIGEST, GROUP, LABEL]


@dataclass(frozen=True)
class QueryFigures:
    """One metric of n queries: values: model -> (n,) float64; queries: `KNOWN_BY` of each.

    Two of the same queries have equal `queries`: rows of the manifest with pictures, groups and labels. Where these
    have the column `item` a mean is over all queries, and items are drawn for its interval; else it is over groups, and
    labels are drawn.
    """

    queries: pd.DataFrame
    values: Mapping[str, np.ndarray]


def by_query(evaluation: Evaluation) -> pd.DataFrame:
    """A row for each model and query: what it is known by, whether its group is aligned, and all metrics (float32).

    `query` is its row of the manifest, `digest` that of its picture; `label`, what it searches, is a text; `item`, only
    where a mean is over all queries, a code of the item that it shows.
    """
    return pd.concat([_of_model(evaluation, model) for model in evaluation.results], ignore_index=True)


def read_by_query(file: Path | BinaryIO, metric: str, scope: str) -> QueryFigures | None:
    """The figures of `metric` in `scope` ("all", "aligned"), None where single queries have none of it."""
    columns = pq.read_schema(file).names
    if metric not in columns:
        return None
    known_by = [name for name in (*KNOWN_BY, ITEM) if name in columns]
    table = pd.read_parquet(file, engine="pyarrow", columns=[MODEL, *known_by, ALIGNED, metric])
    if scope == ALIGNED:
        table = table[table[ALIGNED]]
    of_models = dict(iter(table.groupby(MODEL, sort=False)))
    queries = next(iter(of_models.values()), table)[known_by].reset_index(drop=True)
    return QueryFigures(queries, {name: rows[metric].to_numpy(dtype=np.float64) for name, rows in of_models.items()})


def _of_model(evaluation: Evaluation, model: str) -> pd.DataFrame:
    result = evaluation.results[model]
    asked = evaluation.queries.iloc[result.query]
    groups = np.array([str(group) for group in result.groups], dtype=object)
    aligned = [group in (evaluation.scopes.get(ALIGNED) or ()) for group in result.groups]
    return pd.DataFrame(
        {
            MODEL: str(model),
            QUERY: asked.index.to_numpy(),
            DIGEST: asked[DIGEST].to_numpy(),
            GROUP: groups[result.group],
            LABEL: result.label.astype(str).astype(object),
            ALIGNED: np.array(aligned)[result.group],
        }
        | ({} if result.item is None else {ITEM: result.item})
        | {name: values.astype(np.float32) for name, values in result.values.items()}
    )
