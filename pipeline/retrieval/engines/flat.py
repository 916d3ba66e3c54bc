"""Exact search: faiss compares a query with every row."""

from pathlib import Path
from typing import Any

import faiss
import numpy as np

from pipeline.retrieval.engines.face import Among, Engine
from pipeline.retrieval.engines.files import read_faiss, read_ids, write_faiss, write_ids
from pipeline.retrieval.engines.vectors import Vectors


class FlatEngine(Engine):
    """All rows in memory, float32."""

    def __init__(self, index: faiss.IndexFlat, ids: np.ndarray) -> None:
        self.index, self.ids = index, ids

    @classmethod
    def build(cls, vectors: Vectors) -> "FlatEngine":
        """Of all rows of `vectors`."""
        index = faiss.IndexFlatIP(vectors.dim)
        for _, rows in vectors.blocks():
            index.add(rows)
        return cls(index, vectors.ids)

    @classmethod
    def read(cls, folder: Path, facts: dict[str, Any]) -> "FlatEngine":  # noqa: ARG003  the face of all engines
        """That of `folder`."""
        return cls(read_faiss(folder), read_ids(folder))

    def search(self, queries: np.ndarray, k: int, among: Among | None = None, least: int = 0) -> np.ndarray:  # noqa: ARG002
        """See `Engine`. All rows are looked into."""
        chosen, k = None, k or len(self.ids)
        if among is not None:
            chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(self._places(among.ids)))
        _, places = self.index.search(np.ascontiguousarray(queries), min(k, len(self.ids)), params=chosen)
        found = np.where(places < 0, -1, self.ids[places])
        return np.pad(found, ((0, 0), (0, k - found.shape[1])), constant_values=-1)

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._all()[self._places(ids)]

    def add(self, ids: np.ndarray, rows: np.ndarray, categories: np.ndarray) -> None:  # noqa: ARG002  faiss has none
        """See `Engine`."""
        self.index.add(np.ascontiguousarray(rows))
        self.ids = np.concatenate([self.ids, ids])

    def remove(self, ids: np.ndarray) -> None:
        """See `Engine`."""
        places = self._places(ids)
        self.index.remove_ids(faiss.IDSelectorBatch(places))  # the others keep their order
        self.ids = np.delete(self.ids, places)

    def write(self, folder: Path) -> None:
        """See `Engine`."""
        write_faiss(folder, self.index)
        write_ids(folder, self.ids)

    @property
    def facts(self) -> dict[str, Any]:
        """See `Engine`."""
        return {"engine": "flat", "bytes_per_vector": 4.0 * self.index.d}

    def _all(self) -> np.ndarray:
        """The rows (N, D) as they lie in the index, without a copy."""
        n, dim = self.index.ntotal, self.index.d
        return faiss.rev_swig_ptr(self.index.get_xb(), n * dim).reshape(n, dim)

    def _places(self, ids: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.ids, ids)
