"""A collection of Milvus: rows of a number, a category and a unit vector."""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

import numpy as np

from pipeline.arrays.blocks import slices
from pipeline.base.errors import EngineDown, UserError
from pipeline.base.names import CATEGORY, ROW

VECTOR = "vector"
METRIC = "IP"
MOST_FOUND = 16_384  # rows that Milvus gives for a query
LONGEST_TEXT = 65_535  # bytes of a category; Milvus takes no more
BATCH_BYTES = 16 * 2**20  # of a message; Milvus takes 64 MiB
DELETED_AT_ONCE = 10_000
TOKEN = "MILVUS_TOKEN"  # environment: user:password, or the key of a hosted one
TIMEOUT = 10.0  # seconds for an answer
LONG = 3600.0  # seconds for what Milvus does with all rows; for its index, without any progress
GONE = (100, 101)  # codes of Milvus: no such collection, or it is not loaded, since it is being dropped
NOT_YET = (500, 501, 503)  # its machines are about to share out what was loaded
INDEXES_OF_TEXTS = ("INVERTED", "Trie")  # since 2.4; before


class Collection:
    """The collection `name` of the Milvus at `uri`; `live` is the alias under which the newest one is known.

    All methods raise UserError when Milvus does not answer, or refuses.
    """

    def __init__(self, uri: str, name: str, live: str) -> None:
        self.uri, self.name, self.live = uri, name, live
        self._searched = name
        self.client = connect(uri)

    @classmethod
    def new(cls, uri: str, live: str, dim: int) -> "Collection":
        """An empty one for vectors (`dim`,), of a name of its own."""
        from pymilvus import DataType

        made = cls(uri, f"{live}_{datetime.now(UTC):%Y%m%dT%H%M%S%f}", live)
        with told(uri):
            schema = made.client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field(ROW, DataType.INT64, is_primary=True)
            schema.add_field(CATEGORY, DataType.VARCHAR, max_length=LONGEST_TEXT)
            schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
            made.client.create_collection(made.name, schema=schema, consistency_level="Bounded", timeout=TIMEOUT)
        return made

    def exists(self) -> bool:
        """Whether Milvus has it."""
        with told(self.uri):
            return self.client.has_collection(self.name, timeout=TIMEOUT)

    def insert(self, ids: np.ndarray, rows: np.ndarray, categories: Sequence[str]) -> None:
        """Add rows (n, D) of new numbers (n,); they are found after `open`."""
        self._put(self.client.insert, ids, rows, categories)

    def upsert(self, ids: np.ndarray, rows: np.ndarray, categories: Sequence[str]) -> None:
        """Add rows (n, D), in place of those that have such a number; they are found when this returns."""
        self._put(self.client.upsert, ids, rows, categories)
        self.count()

    def delete(self, ids: np.ndarray) -> None:
        """Remove the rows `ids` (n,); they are not found when this returns."""
        with told(self.uri):
            for part in slices(len(ids), DELETED_AT_ONCE):
                self.client.delete(self.name, ids=ids[part].tolist(), timeout=TIMEOUT)
        self.count()

    def count(self) -> int:
        """Rows there are, when all changes before have come through."""
        with told(self.uri):
            count = {"output_fields": ["count(*)"], "consistency_level": "Strong", "timeout": LONG}
            return _when_ready(lambda: self.client.query(self.name, filter="", **count))[0]["count(*)"]

    def open(self, rows: int, index: str, settings: dict[str, int]) -> None:
        """Index the `rows` that were inserted, then load them into memory, where they can be searched.

        In this order: what is loaded before its index is finished is answered by another, temporary one, whose recall
        nobody has chosen.
        """
        with told(self.uri):
            self.client.flush(self.name, timeout=LONG)
            fields = self.client.prepare_index_params()
            # the inner params: milvus-lite heeds these alone, Milvus either
            fields.add_index(VECTOR, index_type=index, metric_type=METRIC, params={"params": settings})
            self.client.create_index(self.name, fields, timeout=TIMEOUT)
            self._index_categories()
            self._await_index(rows)
            self.client.load_collection(self.name, timeout=LONG)
        self.count()

    def load(self) -> None:
        """Have it in memory, which it is unless someone released it."""
        with told(self.uri):
            self.client.load_collection(self.name, timeout=LONG)

    def search(self, queries: np.ndarray, k: int, settings: dict[str, int], category: str | None) -> list[list[int]]:
        """For each of queries (Q, D) the numbers of at most `k` rows, nearest first; of the category alone, if given.

        When the collection was dropped for a newer one, that one is searched.
        """
        with told(self.uri):
            try:
                return self._search(queries, k, settings, category)
            except _exception() as error:
                if error.code not in GONE:
                    raise
                self._searched = self.live
                return self._search(queries, k, settings, category)

    def go_live(self) -> None:
        """Let the alias lead here, and drop all former collections of it."""
        with told(self.uri):
            names = self.client.list_collections(timeout=TIMEOUT)
            led = self.live in self._aliases(names)
            change: Callable[..., None] = self.client.alter_alias if led else self.client.create_alias
            change(self.name, self.live, timeout=TIMEOUT)
            former = re.compile(re.escape(self.live) + r"_\d{8}T\d{12}")
            for name in names:
                if former.fullmatch(name) and name != self.name:
                    self.client.drop_collection(name, timeout=TIMEOUT)

    def drop(self) -> None:
        """Remove all of it."""
        with told(self.uri):
            self.client.drop_collection(self.name, timeout=TIMEOUT)

    def _put(self, write: Callable[..., Any], ids: np.ndarray, rows: np.ndarray, categories: Sequence[str]) -> None:
        with told(self.uri):
            for part in slices(len(ids), max(1, BATCH_BYTES // (4 * rows.shape[1]))):
                fields = zip(ids[part].tolist(), categories[part], rows[part], strict=True)
                records = [{ROW: number, CATEGORY: str(text), VECTOR: row} for number, text, row in fields]
                write(self.name, records, timeout=LONG)

    def _search(self, queries: np.ndarray, k: int, settings: dict[str, int], category: str | None) -> list[list[int]]:
        wanted = {
            "anns_field": VECTOR,
            "limit": k,
            "filter": "" if category is None else f"{CATEGORY} == {json.dumps(category, ensure_ascii=False)}",
            "search_params": {"metric_type": METRIC, "params": settings},
            "timeout": TIMEOUT,
        }
        asked = np.ascontiguousarray(queries, dtype=np.float32)
        found = _when_ready(lambda: self.client.search(self._searched, asked, **wanted))
        return [list(hits.ids) for hits in found]

    def _index_categories(self) -> None:
        for kind in INDEXES_OF_TEXTS:
            fields = self.client.prepare_index_params()
            fields.add_index(CATEGORY, index_type=kind)
            try:
                self.client.create_index(self.name, fields, timeout=TIMEOUT)
                return
            except _exception():
                if kind == INDEXES_OF_TEXTS[-1]:
                    raise

    def _await_index(self, rows: int) -> None:
        done, since, pause = -1, monotonic(), 0.1
        while True:
            state = self.client.describe_index(self.name, VECTOR, timeout=TIMEOUT)
            indexed = int(state["indexed_rows"])
            if state["state"] == "Finished" and indexed >= rows:
                return
            if indexed > done:
                done, since = indexed, monotonic()
            if state["state"] == "Failed" or monotonic() - since > LONG:
                raise UserError(f"Milvus at {self.uri}: {indexed} of {rows} rows indexed, then it stopped; see its log")
            sleep(pause)
            pause = min(2 * pause, 2.0)

    def _aliases(self, names: Sequence[str]) -> set[str]:
        return {alias for name in names for alias in self.client.list_aliases(name, timeout=TIMEOUT)["aliases"]}


def connect(uri: str) -> Any:
    """A client of the Milvus at `uri`. Raises UserError without pymilvus, and when nothing answers there."""
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise UserError("index.engine milvus: pymilvus is missing; run `pip install 'crosswear[milvus]'`") from None
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it prints the trace of what is told in a line here
    with told(uri):
        return MilvusClient(uri, token=os.environ.get(TOKEN, ""), timeout=TIMEOUT)


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Context in which an error of Milvus is told in a line, as UserError."""
    from grpc import RpcError

    try:
        yield
    except (_exception(), RpcError) as error:
        lines = (getattr(error, "message", "") or str(error) or type(error).__name__).strip().splitlines()
        reason = lines[0][:200]
        if re.search(r"(?i)unavailable|fail connecting|retry timeout|deadline|timed? ?out", f"{error}"):
            raise EngineDown(f"Milvus at {uri}: no answer; start it, or set index.milvus.uri") from error
        if re.search(r"(?i)unimplemented|unknown method", f"{error}"):
            raise UserError(f"Milvus at {uri}: another version ({reason}); 2.3 or newer is needed") from error
        raise UserError(f"Milvus at {uri}: {reason}") from error


def _when_ready(ask: Callable[[], Any]) -> Any:
    """What `ask` gives, once Milvus is ready to answer it."""
    end = monotonic() + TIMEOUT
    while True:
        try:
            return ask()
        except _exception() as error:
            if error.code not in NOT_YET or monotonic() > end:
                raise
            sleep(0.1)


def _exception() -> type[Exception]:
    from pymilvus import MilvusException

    return MilvusException
