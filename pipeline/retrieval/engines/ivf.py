"""Approximate search: faiss sorts the rows into lists around centroids, and looks into those nearest to the query."""

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from pipeline.retrieval.engines.face import Among, Engine, widening
from pipeline.retrieval.engines.files import read_faiss, write_faiss
from pipeline.retrieval.engines.vectors import Vectors

TRAINED_ON = 64  # rows a list that centroids are found from; faiss takes 256 at most and warns below 39
QUANTISED, PLAIN = "SQ8", "Flat"


class IvfEngine(Engine):
    """Rows in `lists` of the index, of which `probes` are looked into.

    faiss holds them with a byte a value (SQ8), or whole (Flat); beside it they lie as they are, on disk, for exact
    scores of the few that are found.
    """

    def __init__(self, index: faiss.IndexIVF, vectors: Vectors, storage: str, probes: int) -> None:
        self.index, self.vectors, self.storage = index, vectors, storage
        self.probes = min(probes, self.lists)

    @classmethod
    def build(cls, vectors: Vectors, *, lists: int, storage: str = QUANTISED, probes: int = 1) -> "IvfEngine":
        """Of all rows of `vectors`. The published lists of k-means hold whole rows, by Euclidean distance."""
        metric = faiss.METRIC_INNER_PRODUCT if storage == QUANTISED else faiss.METRIC_L2
        index = faiss.index_factory(vectors.dim, f"IVF{lists},{storage}", metric)
        index.train(vectors.sample(TRAINED_ON * lists))
        return cls.filled(index, vectors, storage, probes)

    @classmethod
    def filled(cls, index: faiss.IndexIVF, vectors: Vectors, storage: str, probes: int) -> "IvfEngine":
        """Of all rows of `vectors`, in the lists of an index that has none yet."""
        for ids, rows in vectors.blocks():
            index.add_with_ids(rows, ids)
        return cls(index, vectors, storage, probes)

    @classmethod
    def read(cls, folder: Path, facts: dict[str, Any]) -> "IvfEngine":
        """That of `folder`, with the probes of its `facts`."""
        return cls(read_faiss(folder), Vectors.read(folder), str(facts["storage"]), int(facts["probes"]))

    @property
    def ids(self) -> np.ndarray:
        """See `Engine`."""
        return self.vectors.ids

    @property
    def lists(self) -> int:
        """How many there are."""
        return self.index.nlist

    @property
    def most_probes(self) -> int:
        """Beyond which there is nothing more to look into."""
        return self.lists

    def search(self, queries: np.ndarray, k: int, among: Among | None = None, least: int = 0) -> np.ndarray:
        """See `Engine`."""
        selector = None if among is None else faiss.IDSelectorBatch(among.ids)
        there = len(self.ids) if among is None else len(among.ids)
        queries, k = np.ascontiguousarray(queries), k or self._longest(self.probes)

        def look(probes: int) -> np.ndarray:
            params = faiss.SearchParametersIVF(sel=selector, nprobe=probes)
            return self.index.search(queries, k, params=params)[1]

        return widening(look, self.probes, self.lists, min(least, k, there))

    def _longest(self, probes: int) -> int:
        """Rows of so many lists at most."""
        sizes = [self.index.invlists.list_size(number) for number in range(self.lists)]
        return max(1, sum(sorted(sizes)[-probes:]))

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self.vectors.rows(ids)

    def add(self, ids: np.ndarray, rows: np.ndarray, categories: np.ndarray) -> None:  # noqa: ARG002  faiss has none
        """See `Engine`. Centroids stay where they are."""
        self.index.add_with_ids(np.ascontiguousarray(rows), ids)
        self.vectors.add(ids, rows)

    def remove(self, ids: np.ndarray) -> None:
        """See `Engine`."""
        self.index.remove_ids(faiss.IDSelectorBatch(ids))
        self.vectors.remove(ids)

    def write(self, folder: Path) -> None:
        """See `Engine`."""
        write_faiss(folder, self.index)
        self.vectors.write(folder)

    @property
    def facts(self) -> dict[str, Any]:
        """See `Engine`."""
        return {
            "engine": "ivf",
            "storage": self.storage,
            "lists": self.lists,
            "probes": self.probes,
            "bytes_per_vector": (self.index.code_size + 8) + 4.0 * self.index.d * self.lists / max(1, len(self.ids)),
        }
