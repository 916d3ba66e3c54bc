"""Search by a Milvus server, which may be many machines."""

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.base.errors import UserError
from pipeline.retrieval.engines.collection import MOST_FOUND, Collection
from pipeline.retrieval.engines.face import Among, Engine, widening
from pipeline.retrieval.engines.tune import lists_for
from pipeline.retrieval.engines.vectors import Vectors

FLAT, HNSW = "FLAT", "HNSW"
LINKS, WIDTH = 16, 200  # of HNSW: neighbours a row (twice as many on the ground), candidates when a row is linked
MOST_CANDIDATES = 32_768
SEGMENT_BYTES = 2**30  # rows that Milvus indexes together, each such segment with lists of its own
BYTES_A_VALUE = {"IVF_SQ8": 1}  # of the others 4


class Setting(NamedTuple):
    """The kind of Milvus' index, and how many lists it has (0: it has none)."""

    index: str
    lists: int

    @property
    def build(self) -> dict[str, int]:
        """As Milvus calls it when the index is made."""
        if self.lists:
            return {"nlist": self.lists}
        return {"M": LINKS, "efConstruction": WIDTH} if self.index == HNSW else {}

    def search(self, probes: int, k: int) -> dict[str, int]:
        """As Milvus calls it when `k` rows are searched."""
        if self.lists:
            return {"nprobe": probes}
        return {"ef": max(probes, k)} if self.index == HNSW else {}

    @property
    def most_probes(self) -> int:
        """Beyond which there is nothing more to look into."""
        return self.lists or (MOST_CANDIDATES if self.index == HNSW else 1)

    def bytes_per_vector(self, dim: int, rows: int) -> float:
        """Of Milvus' memory: values, number, and its share of centroids or links. Other needs come on top."""
        links = 4 * 2 * LINKS if self.index == HNSW else 0
        return (
            BYTES_A_VALUE.get(self.index, 4) * dim
            + 8
            + links
            + 4.0 * dim * self.lists / max(1, rows_together(rows, dim))
        )


def rows_together(rows: int, dim: int) -> int:
    """Of so many rows those that Milvus indexes together, in one segment."""
    return min(rows, SEGMENT_BYTES // (4 * dim))


def setting_for(index: str, lists: int | None, rows: int, dim: int) -> Setting:
    """The setting of an index of that kind for `rows` vectors; `lists` None: by those that Milvus indexes together."""
    if index in (FLAT, HNSW):
        return Setting(index, 0)
    return Setting(index, lists or lists_for(rows_together(rows, dim)))


class MilvusEngine(Engine):
    """Rows in a collection of Milvus, of whose lists (HNSW: candidates) `probes` are looked into.

    Beside it they lie as they are, on disk, for exact scores of the few that are found. New rows are in the collection
    at once, but found by no index that does not hold their numbers; rows that were removed leave it in `settle`.
    """

    def __init__(self, collection: Collection, vectors: Vectors, setting: Setting, probes: int) -> None:
        self.collection, self.vectors, self.setting, self.probes = collection, vectors, setting, probes
        self._gone = np.empty(0, np.int64)

    @classmethod
    def build(
        cls, vectors: Vectors, categories: np.ndarray, *, uri: str, live: str, setting: Setting, probes: int = 1
    ) -> "MilvusEngine":
        """Of all rows of `vectors`, which are of these categories (N,), in a new collection; `settle` makes it live."""
        engine = cls(Collection.new(uri, live, vectors.dim), vectors, setting, probes)
        try:
            start = 0
            for ids, rows in vectors.blocks():
                engine.collection.insert(ids, rows, categories[start : start + len(ids)])
                start += len(ids)
            engine.collection.open(len(vectors), setting.index, setting.build)
        except BaseException:
            engine.discard()
            raise
        return engine

    @classmethod
    def read(cls, folder: Path, facts: dict[str, Any]) -> "MilvusEngine":
        """That of `folder`. Raises UserError when its collection is gone, or has lost rows since."""
        collection = Collection(**facts["collection"])
        if not collection.exists():
            raise UserError(
                f"{folder}: its collection {collection.name} is no longer in the Milvus at {collection.uri}; "
                "run `dvc repro --force index`"
            )
        collection.load()
        vectors, setting = Vectors.read(folder), Setting(str(facts["index"]), int(facts["lists"]))
        if (held := collection.count()) < len(vectors):
            raise UserError(
                f"{folder}: its collection {collection.name} has {held} of its {len(vectors)} rows, as after a "
                "change to another copy of this index; run `dvc repro --force index`"
            )
        return cls(collection, vectors, setting, int(facts["probes"]))

    @property
    def ids(self) -> np.ndarray:
        """See `Engine`."""
        return self.vectors.ids

    @property
    def most_probes(self) -> int:
        """Beyond which there is nothing more to look into."""
        return self.setting.most_probes

    def search(self, queries: np.ndarray, k: int, among: Among | None = None, least: int = 0) -> np.ndarray:
        """See `Engine`. Milvus finds at most `MOST_FOUND` rows."""
        wanted = min(k + len(self._gone), MOST_FOUND) if k else MOST_FOUND
        there = len(self.ids) if among is None else len(among.ids)
        category = None if among is None else among.category

        def look(probes: int) -> np.ndarray:
            settings = self.setting.search(probes, wanted)
            return self._known(self.collection.search(queries, wanted, settings, category), k)

        return widening(look, self.probes, self.most_probes, min(least, there, MOST_FOUND))

    def _known(self, found: list[list[int]], k: int) -> np.ndarray:
        """Of the found rows those that this index holds: (Q, k), -1 beyond the last."""
        held = [np.array(numbers, np.int64) for numbers in found]
        held = [numbers[self.vectors.holds(numbers)] for numbers in held]
        width = k or max(map(len, held))
        return np.stack([np.pad(row[:width], (0, width - len(row[:width])), constant_values=-1) for row in held])

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self.vectors.rows(ids)

    def add(self, ids: np.ndarray, rows: np.ndarray, categories: np.ndarray) -> None:
        """See `Engine`. A command that was killed may have left rows of such numbers in Milvus, which are replaced."""
        self.collection.upsert(ids, rows, categories)
        self.vectors.add(ids, rows)

    def remove(self, ids: np.ndarray) -> None:
        """See `Engine`."""
        self.vectors.remove(ids)
        self._gone = np.concatenate([self._gone, ids])

    def write(self, folder: Path) -> None:
        """See `Engine`."""
        self.vectors.write(folder)

    def settle(self) -> None:
        """See `Engine`."""
        if len(self._gone):
            self.collection.delete(self._gone)
            self._gone = self._gone[:0]
        self.collection.go_live()

    def discard(self) -> None:
        """Drop what was built and will not go live, if Milvus still answers."""
        with suppress(UserError):
            self.collection.drop()

    @property
    def facts(self) -> dict[str, Any]:
        """See `Engine`."""
        return {
            "engine": "milvus",
            "collection": {"uri": self.collection.uri, "name": self.collection.name, "live": self.collection.live},
            **self.setting._asdict(),
            "probes": self.probes,
            "bytes_per_vector": self.setting.bytes_per_vector(self.vectors.dim, len(self.ids)),
        }
