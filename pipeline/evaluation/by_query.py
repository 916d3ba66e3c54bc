"""The figures of every single query, as a file from which intervals over items can be taken later."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from pipeline.base.names import DIGEST, MODEL
from pipeline.evaluation.evaluate import ALIGNED, Evaluation

QUERY, GROUP, LABEL = "query", "group", "label"
KNOWN_BY = [QUERY, DIGEST, GROUP, LABEL]


@dataclass(frozen=True)
class QueryFigures:
    """One metric of n queries: values: model -> (n,) float64; queries: `KNOWN_BY` of each.

    Two of the same queries have equal `queries`: rows of the manifest with pictures, groups and labels.
    """

    queries: pd.DataFrame
    values: Mapping[str, np.ndarray]


def by_query(evaluation: Evaluation) -> pd.DataFrame:
    """A row for each model and query: what it is known by, whether its group is aligned, and all metrics (float32).

    `query` is its row of the manifest, `digest` that of its picture; `label`, what it searches, is a text.
    """
    return pd.concat([_of_model(evaluation, model) for model in evaluation.results], ignore_index=True)


def read_by_query(file: Path | BinaryIO, metric: str, scope: str) -> QueryFigures | None:
    """The figures of `metric` in `scope` ("all", "aligned"), None where single queries have none of it."""
    if metric not in pq.read_schema(file).names:
        return None
    table = pd.read_parquet(file, engine="pyarrow", columns=[MODEL, *KNOWN_BY, ALIGNED, metric])
    if scope == ALIGNED:
        table = table[table[ALIGNED]]
    of_models = dict(iter(table.groupby(MODEL, sort=False)))
    queries = next(iter(of_models.values()), table)[KNOWN_BY].reset_index(drop=True)
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
        | {name: values.astype(np.float32) for name, values in result.values.items()}
    )
