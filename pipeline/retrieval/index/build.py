"""An index of rows of stored features: vectors by every model, an engine each, and how good that is."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.arrays.blocks import slices
from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, COLOUR, DATASET, DOMAIN, EMBEDDING, POOLED, ROW, SPLIT, Split
from pipeline.features.store import Features
from pipeline.features.views import Views
from pipeline.models.folder import Adapted
from pipeline.params.index import IndexParams
from pipeline.retrieval.engines.choice import build_engine
from pipeline.retrieval.engines.measure import SAMPLED, Sample, milliseconds, recall, sample_of
from pipeline.retrieval.engines.vectors import Vectors, create_vectors
from pipeline.retrieval.fusion import Fusion
from pipeline.retrieval.index.attributes import known_values
from pipeline.retrieval.index.folder import FOLDER, TEXTS, Facts, Index
from pipeline.table.domains import domain_codes

Built = tuple[Index, dict[str, Any]]


def build_index(
    features: Features,
    table: pd.DataFrame,
    kept: np.ndarray,
    models: Mapping[str, Adapted | None],
    views: Views,
    *,
    facts: Facts,
    params: IndexParams,
    raw: Path,
    work: Path,
    block_rows: int,
    known: pd.DataFrame | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Built:
    """The index of rows of the part that `features` is of, and a report of recall, bytes and milliseconds an engine.

    table: the manifest's rows of `features`, in that order; kept (n,) int64: the places there of those that are to be
    found, see `catalogue_rows`; models: name -> model, None for that of the stored embeddings; views: of the part, for
    models that mix them in; known: the table of attributes, for features by attribute, of the one model, which get an
    engine an attribute. The recall is that of the queries among the rows of `features`, and of the indexed rows
    themselves where there are none.
    `raw`: the folder that pictures lie in; `work`: one for vectors in the making.
    """
    rows = Chosen(kept[np.argsort(features.row[kept], kind="stable")], np.flatnonzero(table[SPLIT] == Split.QUERY))
    ids, first = np.unique(features.row[rows.kept], return_index=True)
    wanted = {name: (model, rows) for name, model in models.items()}
    facts = replace(facts, rows=len(ids), next_row=int(ids[-1]) + 1, colour=features.colour)
    if features.condition is not None:
        (model,), by_attribute = models.values(), _by_attribute(features, rows, say)
        wanted = {name: (model, some) for name, some in by_attribute.items()}
        facts = replace(facts, attributes={name: {} for name in by_attribute})
    engines, report, categories = {}, {}, table[CATEGORY].to_numpy(dtype=str)
    embed = Embed(features, views, domain_codes(table[DOMAIN]), block_rows)
    try:
        for name, (place, _) in facts.stored().items():
            model, some = wanted[name]
            vectors, queries, own = _vectors(embed, model, some, work / place)
            sample = sample_of(vectors, queries, own)
            engines[name] = build_engine(vectors, categories[some.kept], sample, params, place)
            report[name] = measure_engine(engines[name], sample, facts)
            say(f"{name}: {engine_line(report[name])}")
        colour = None
        if features.colour is not None:
            colour, _ = rows.gather(features, COLOUR, lambda block, _: block, work / COLOUR)
    except BaseException:
        for engine in engines.values():
            engine.discard()
        raise
    values = None if features.condition is None else known_values(known, ids)
    return Index(facts, index_table(table.iloc[rows.kept[first]], ids, raw), engines, colour, values), report


def catalogue_rows(path: Path, table: pd.DataFrame, part: str, params: IndexParams) -> np.ndarray:
    """Positions (n,) int64 of the rows of `table`, those of `part` in the manifest at `path`, that are to be found.

    These are no queries, and of the domain and the set that `params` wants. Raises UserError when there are none.
    """
    kept = table[SPLIT] != Split.QUERY
    if params.domain != "any":
        kept &= table[DOMAIN] == params.domain
    if params.dataset is not None:
        kept &= table[DATASET] == params.dataset
    if not kept.any():
        of = "" if params.dataset is None else f" of the set {params.dataset}"
        which = "" if params.domain == "any" else f" {params.domain}"
        raise UserError(
            f"{path}: no{which} pictures{of} to index in {part}; index.part, index.domain and index.dataset say which"
        )
    return np.flatnonzero(kept)


def index_table(rows: pd.DataFrame, ids: np.ndarray, raw: Path) -> pd.DataFrame:
    """Rows (n,) of the manifest as those of an index, with these numbers; `raw` is where their pictures lie."""
    rows = rows.reset_index(drop=True).assign(**{ROW: ids, FOLDER: raw.as_posix()})
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
    lists = f" of {report['lists']} lists, {report['probes']} looked into" if report.get("lists") else ""
    measured = "too few queries to measure"
    if not math.isnan(report["ms_per_query"]):
        measured = f"recall@10 {report['recall@10']:.3f}, {report['ms_per_query']} ms a query"
    return (
        f"{report['rows']} rows, {report['engine']}{lists}: {measured}, {report['bytes_per_vector']:.0f} bytes a vector"
    )


@dataclass(frozen=True)
class Chosen:
    """Positions in a feature file: of the rows that are indexed, `kept` (n,) by their numbers, and of queries (Q,)."""

    kept: np.ndarray
    asked: np.ndarray

    def gather(
        self, features: Features, name: str, made: Callable[[np.ndarray, slice], np.ndarray], folder: Path
    ) -> tuple[Vectors, np.ndarray]:
        """What `made` makes of blocks of the array `name` and their places: of the rows kept as a file, of queries."""
        folder.mkdir(parents=True, exist_ok=True)
        place = np.full(len(features), -1)
        place[self.kept] = np.arange(len(self.kept))
        is_query = np.zeros(len(features), bool)
        is_query[self.asked] = True
        file, queries, start = None, [], 0
        for (block,) in features.blocks(name):
            part = slice(start, start + len(block))
            rows = made(block, part)
            if file is None:
                file = create_vectors(folder, len(self.kept), rows.shape[1])
            into = place[part]
            file[into[into >= 0]] = rows[into >= 0]
            queries.append(rows[is_query[part]])
            start = part.stop
        return Vectors(features.row[self.kept], file), np.concatenate(queries)


@dataclass(frozen=True)
class Embed:
    """Embeddings by a model: of `features` of pictures in these domains (N,), mixed with `views`."""

    features: Features
    views: Views
    domain: np.ndarray
    block_rows: int

    def vectors(self, model: Adapted, rows: Chosen, folder: Path) -> tuple[Vectors, np.ndarray]:
        """As `Chosen.gather`."""

        def of_block(block: np.ndarray, part: slice) -> np.ndarray:
            return model.head.embed(block, self.domain[part], self.block_rows)

        vectors, queries = rows.gather(self.features, POOLED, of_block, folder)
        if model.mix is not None:
            self._mix_in(vectors, model)
        return vectors, queries

    def _mix_in(self, vectors: Vectors, model: Adapted) -> None:
        kept = np.flatnonzero(np.isin(self.views.row, vectors.ids))
        means = self.views.mean_embedding(model.head, model.mix, self.block_rows)
        for part in slices(len(kept), self.block_rows):
            ids = self.views.row[kept[part]]
            vectors.replace(ids, model.mix.blend(vectors.rows(ids), means[kept[part]]))


def _by_attribute(features: Features, rows: Chosen, say: Callable[[str], None]) -> dict[str, Chosen]:
    """Which of `rows` are of each attribute; one that no picture is to be found by is left out, and said."""
    chosen = {}
    for number, name in enumerate(features.attributes):
        some = Chosen(*(places[features.condition[places] == number] for places in (rows.kept, rows.asked)))
        if len(some.kept):
            chosen[name] = some
        else:
            say(f"{name}: no pictures with features of it; the index is not by {name}")
    return chosen


def _vectors(embed: Embed, model: Adapted | None, rows: Chosen, folder: Path) -> tuple[Vectors, np.ndarray, np.ndarray]:
    """Vectors of the rows, queries (Q, D), and the number (Q,) of the row that a query is itself or -1."""
    if model is None:
        vectors, queries = rows.gather(embed.features, EMBEDDING, lambda block, _: block, folder)
    else:
        vectors, queries = embed.vectors(model, rows, folder)
    if len(rows.asked):
        return vectors, queries, np.full(len(queries), -1)
    own = vectors.spread(SAMPLED)
    return vectors, vectors.rows(own), own
