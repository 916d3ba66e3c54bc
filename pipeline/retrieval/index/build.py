"""An index of rows of stored features: vectors by every model, an engine each, and how good that is."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, COLOUR, DATASET, DOMAIN, EMBEDDING, POOLED, SPLIT, Split
from pipeline.features.store import Features
from pipeline.models.head import Head
from pipeline.params.index import IndexParams
from pipeline.retrieval.engines.choice import build_engine
from pipeline.retrieval.engines.vectors import Vectors, create_vectors
from pipeline.retrieval.fusion import Fusion
from pipeline.retrieval.index.folder import FOLDER, ROW, TEXTS, Facts, Index
from pipeline.retrieval.index.measure import Sample, milliseconds, recall, sample_of

Built = tuple[Index, dict[str, Any]]


def build_index(
    features: Features,
    table: pd.DataFrame,
    heads: Mapping[str, Head | None],
    facts: Facts,
    params: IndexParams,
    *,
    raw: Path,
    work: Path,
    block_rows: int,
    say: Callable[[str], None] = lambda _: None,
) -> Built:
    """The index of rows of the part that `features` is of, and a report of recall, bytes and milliseconds.

    table: the manifest's rows of `features`, in that order; heads: model -> its head, None for that of the stored
    embeddings. Indexed are all rows that are no queries, of the domain and the set that `params` wants. The recall is
    that of the queries among the rows of `features`, and of the indexed rows themselves where there are none.
    `raw`: the folder that pictures lie in; `work`: one for vectors in the making.
    """
    kept, asked = catalogue_rows(table, params), np.flatnonzero(table[SPLIT] == Split.QUERY)
    order = kept[np.argsort(features.row[kept], kind="stable")]
    ids = features.row[order]
    facts = replace(facts, rows=len(ids), next_row=int(ids[-1]) + 1, colour=features.colour)
    engines, report = {}, {}
    for name, head in heads.items():
        vectors, queries, own = _vectors(features, head, order, asked, work / name, block_rows)
        sample = sample_of(vectors, queries, own)
        engines[name] = build_engine(vectors, sample, params, name)
        report[name] = measure_engine(engines[name], sample, facts)
        say(f"{name}: {engine_line(report[name])}")
    colour = None
    if features.colour is not None:
        (colour,) = _gather(features, (COLOUR,), lambda block: block, order, work / COLOUR, np.empty(0, np.int64))[:1]
    return Index(facts, index_table(table, order, ids, raw), engines, colour), report


def check_catalogue(path: Path, table: pd.DataFrame, part: str, params: IndexParams) -> None:
    """Raise UserError when the rows `table` of the manifest at `path` have nothing to index."""
    if not len(catalogue_rows(table, params)):
        of = "" if params.dataset is None else f" of the set {params.dataset}"
        which = "" if params.domain == "any" else f" {params.domain}"
        raise UserError(
            f"{path}: no{which} pictures{of} to index in {part}; index.part, index.domain and index.dataset say which"
        )


def catalogue_rows(table: pd.DataFrame, params: IndexParams) -> np.ndarray:
    """Positions (n,) int64 of the rows of `table` that are to be found."""
    kept = table[SPLIT] != Split.QUERY
    if params.domain != "any":
        kept &= table[DOMAIN] == params.domain
    if params.dataset is not None:
        kept &= table[DATASET] == params.dataset
    return np.flatnonzero(kept)


def index_table(table: pd.DataFrame, order: np.ndarray, ids: np.ndarray, raw: Path) -> pd.DataFrame:
    """The rows (n,) at `order` of the manifest's `table` as those of an index, with these numbers."""
    rows = table.iloc[order].reset_index(drop=True)
    rows = rows.assign(**{ROW: ids, FOLDER: raw.as_posix()})
    rows = rows.assign(**{name: "" for name in TEXTS if name not in rows})
    further = [name for name in rows if name not in (ROW, *TEXTS, *BOX, SPLIT)]
    return rows[[ROW, *TEXTS, *BOX, *further]]


def measure_engine(engine: Any, sample: Sample, facts: Facts) -> dict[str, Any]:
    """What the report says of an engine."""
    plain, held_out = Fusion(), sample.halves()[1]
    return {
        **{name: value for name, value in engine.facts.items() if isinstance(value, str | int | float)},
        "rows": len(engine.ids),
        "recall@10": recall(engine, held_out, plain, facts.shortlist),
        "ms_per_query": round(milliseconds(engine, held_out, plain, facts.shortlist), 2),
    }


def engine_line(report: Mapping[str, Any]) -> str:
    """The report of an engine in a line."""
    lists = f" of {report['lists']} lists, {report['probes']} looked into" if "lists" in report else ""
    return (
        f"{report['rows']} rows, {report['engine']}{lists}: recall@10 {report['recall@10']:.3f}, "
        f"{report['bytes_per_vector']:.0f} bytes a vector, {report['ms_per_query']} ms a query"
    )


def _vectors(
    features: Features, head: Head | None, order: np.ndarray, asked: np.ndarray, work: Path, block_rows: int
) -> tuple[Vectors, np.ndarray, np.ndarray]:
    """Vectors of the rows at `order`, queries (Q, D), and the number (Q,) of the row that a query is itself or -1."""
    if head is None:
        name, embed = EMBEDDING, lambda block: block
    else:
        name, embed = POOLED, lambda block: head.embed(block, block_rows)
    vectors, queries = _gather(features, (name,), embed, order, work, asked)
    if len(asked):
        return vectors, queries, np.full(len(asked), -1)
    return vectors, vectors.sample(len(vectors)), vectors.ids


def _gather(
    features: Features,
    names: tuple[str, ...],
    made: Callable[[np.ndarray], np.ndarray],
    order: np.ndarray,
    work: Path,
    asked: np.ndarray,
) -> tuple[Vectors, np.ndarray]:
    """What `made` makes of the rows at `order`, as a file in `work`, and of the rows `asked`, in memory."""
    work.mkdir(parents=True, exist_ok=True)
    place = np.full(len(features), -1)
    place[order] = np.arange(len(order))
    wanted = np.zeros(len(features), bool)
    wanted[asked] = True
    file, queries, start = None, [], 0
    for (block,) in features.blocks(*names):
        rows = made(block)
        if file is None:
            file = create_vectors(work, len(order), rows.shape[1])
        into = place[start : start + len(block)]
        file[into[into >= 0]] = rows[into >= 0]
        queries.append(rows[wanted[start : start + len(block)]])
        start += len(block)
    return Vectors(features.row[order], file), np.concatenate(queries)
