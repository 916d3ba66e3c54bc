"""Which engine keeps the rows of an index."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.errors import UserError
from pipeline.params.index import IndexParams
from pipeline.retrieval.engines.face import Engine
from pipeline.retrieval.engines.measure import Sample
from pipeline.retrieval.engines.vectors import Vectors

PUBLISHED_LISTS, PUBLISHED_PROBES = 50, 1  # of deep-fashion-retrieval's k-means


def build_engine(vectors: Vectors, categories: np.ndarray, sample: Sample, params: IndexParams, model: str) -> Engine:
    """The engine that `params` wants for `vectors` by `model`, of rows of these categories (N,) str.

    It is tuned with the first half of the sample. Raises UserError when Milvus does not answer or finds too little.
    """
    match params.engine:
        case "flat":
            return _flat(vectors)
        case "ivf":
            return _ivf(vectors, sample, params)
        case "kmeans":
            return _kmeans(vectors, params)
        case "milvus":
            return _milvus(vectors, categories, sample, params, model)
        case _:
            return _flat(vectors) if len(vectors) <= params.exact_rows else _ivf(vectors, sample, params)


def _flat(vectors: Vectors) -> Engine:
    from pipeline.retrieval.engines.flat import FlatEngine

    return FlatEngine.build(vectors)


def _ivf(vectors: Vectors, sample: Sample, params: IndexParams) -> Engine:
    from pipeline.retrieval.engines.ivf import IvfEngine
    from pipeline.retrieval.engines.tune import lists_for, tune_probes

    lists = min(params.lists or lists_for(len(vectors)), len(vectors))
    engine = IvfEngine.build(vectors, lists=lists, probes=params.probes or 1)
    if params.probes is None:
        tune_probes(engine, sample.halves()[0], params.recall, params.shortlist)
    return engine


def _kmeans(vectors: Vectors, params: IndexParams) -> Engine:
    from pipeline.retrieval.engines.ivf import PLAIN, IvfEngine

    lists, probes = params.lists or PUBLISHED_LISTS, params.probes or PUBLISHED_PROBES
    return IvfEngine.build(vectors, lists=min(lists, len(vectors)), storage=PLAIN, probes=probes)


def _milvus(vectors: Vectors, categories: np.ndarray, sample: Sample, params: IndexParams, model: str) -> Engine:
    from pipeline.retrieval.engines.measure import recall
    from pipeline.retrieval.engines.milvus import MilvusEngine, setting_for
    from pipeline.retrieval.engines.tune import tune_probes
    from pipeline.retrieval.fusion import Fusion

    wanted, first = params.milvus, sample.halves()[0]
    setting = setting_for(wanted.index, wanted.lists, len(vectors), vectors.dim)
    where = {"uri": wanted.uri, "live": f"{wanted.collection}_{model}"}
    engine = MilvusEngine.build(vectors, categories, **where, setting=setting, probes=wanted.probes or 1)
    try:
        if wanted.probes is None:
            tune_probes(engine, first, params.recall, params.shortlist)
        reached = recall(engine, first, Fusion(), params.shortlist)
        if reached < params.recall:
            raise UserError(
                f"Milvus: recall@10 of the model {model} is {reached:.3f}, below index.recall ({params.recall}), "
                f"so it refuses to go live; raise index.milvus.probes (now {engine.probes}), or lower index.recall"
            )
    except BaseException:
        engine.discard()
        raise
    return engine


def read_engine(folder: Path, facts: dict[str, Any]) -> Engine:
    """The engine that `folder` is of, by its `facts`. Raises KeyError for an unknown one, OSError or RuntimeError."""
    match facts["engine"]:
        case "flat":
            from pipeline.retrieval.engines.flat import FlatEngine

            return FlatEngine.read(folder, facts)
        case "ivf":
            from pipeline.retrieval.engines.ivf import IvfEngine

            return IvfEngine.read(folder, facts)
        case "milvus":
            from pipeline.retrieval.engines.milvus import MilvusEngine

            return MilvusEngine.read(folder, facts)
        case other:
            raise KeyError(f"engine {other!r}")
