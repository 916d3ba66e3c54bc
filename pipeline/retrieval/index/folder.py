"""The folder of an index, which is written aside and swapped whole:

- `index.json`: its facts, see `Facts`;
- `rows.parquet`: a row a picture, ascending by its number `row`; `folder` is where `image` is relative to;
- `<model>/`: what the engine of that model keeps;
- `colour/`: colour features, where there are any.

Where the network is asked for an attribute, there are in place of `<model>/`

- `attribute_<n>/`: what the engine of the n-th attribute keeps, of the pictures that it is known, or asked, of;
- `values.parquet`: `row`, `attribute`, `value`: what is known of the pictures; several values as one text.

A number stands for one picture as long as the folder is changed and not built anew: it is not given to another one when
the picture is removed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from pipeline.base.atomic import remove, replacing
from pipeline.base.errors import UserError
from pipeline.base.names import ATTRIBUTE, BOX, CATEGORY, DATASET, DOMAIN, IMAGE, ITEM, LINK, ROW, VALUE
from pipeline.base.opening import files_in, opening
from pipeline.base.parquet import read_parquet, write_parquet
from pipeline.base.reports import write_json
from pipeline.retrieval.engines.face import Engine
from pipeline.retrieval.engines.vectors import Vectors
from pipeline.retrieval.fusion import Fusion

FACTS, ROWS, VALUES, COLOUR = "index.json", "rows.parquet", "values.parquet", "colour"
FOLDER = "folder"
TEXTS = (IMAGE, ITEM, CATEGORY, LINK, DOMAIN, DATASET, FOLDER)
FORMAT = 1
MEND = "run `dvc repro index`"
Stamp = tuple[tuple[str, int, int, int], ...]  # of each file: its path, number, time and size
ATTEMPTS, PAUSE = 5, 0.02  # at reading a folder that may be swapped meanwhile; seconds between them


@dataclass(frozen=True)
class Model:
    """A model that pictures are embedded with: its `folder`, its fingerprint `mark`, and the facts of its engine."""

    folder: str
    mark: str
    engine: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What is in an index.

    `backbone` is that of all `models`, a head each. `next_row`: the number of the next picture. `colour`: how colour
    features were made, None where there are none. `shortlist`: how many times as many rows as are asked for are found
    by the engine and then scored exactly; 0: all that it finds. `views`: the file of those that models mix in.
    `attributes`: those that a search is by, each with the facts of its engine, of which the one model has none then.
    """

    part: str
    rows: int
    next_row: int
    backbone: Model
    models: dict[str, Model]
    metric: str
    colour_metric: str
    shortlist: int
    colour: dict[str, Any] | None = None
    views: str | None = None
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    format: int = FORMAT

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Facts":
        """From what `index.json` holds. Raises ValueError, TypeError or KeyError when it is another thing."""
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']} instead of {FORMAT}")
        models = {name: Model(**facts) for name, facts in content["models"].items()}
        return cls(**{**content, "backbone": Model(**content["backbone"]), "models": models})

    def fusion(self, weight: float) -> Fusion:
        """How scores are made, with this weight of the colour."""
        return Fusion(self.metric, self.colour_metric, weight)

    def stored(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Folder and facts of each engine: by attribute where there are some, else by model."""
        if self.attributes:  # a name of an attribute may be none of a folder
            return {name: (f"attribute_{n}", facts) for n, (name, facts) in enumerate(self.attributes.items())}
        return {name: (name, model.engine) for name, model in self.models.items()}

    def holding(self, rows: int, engines: Mapping[str, Engine]) -> "Facts":
        """The same of an index of so many rows in `engines`."""
        facts = {name: engine.facts for name, engine in engines.items()}
        if self.attributes:
            return replace(self, rows=rows, attributes=facts)
        models = {name: replace(model, engine=facts[name]) for name, model in self.models.items()}
        return replace(self, rows=rows, models=models)


@dataclass(frozen=True)
class Index:
    """An index in memory, but for the vectors: facts, rows (see the module), engines, colour features, known values.

    There is an engine a model, or one an attribute, which then holds some of the rows.
    """

    facts: Facts
    table: pd.DataFrame
    engines: dict[str, Engine]
    colour: Vectors | None = None
    values: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def ids(self) -> np.ndarray:
        """(N,) int64: the numbers of the rows."""
        return self.table[ROW].to_numpy()

    def settle(self) -> None:
        """Let its engines do what they keep elsewhere too: its folder is in its place."""
        for engine in self.engines.values():
            engine.settle()

    def discard(self) -> None:
        """Drop what its engines keep elsewhere: it will not be used."""
        for engine in self.engines.values():
            engine.discard()

    def places(self, ids: np.ndarray) -> np.ndarray:
        """Where in the table the rows `ids` (n,) stand. Raises UserError for a number that is none."""
        places = np.searchsorted(self.ids, ids)
        known = self.ids[np.minimum(places, len(self) - 1)] == ids if len(self) else np.zeros(len(ids), bool)
        if not known.all():
            raise UserError(f"row {ids[~known][0]}: not in the index, which has {len(self)} rows")
        return places


def write_index(folder: Path, index: Index) -> None:
    """Write the index to `folder`, which is replaced whole: who reads meanwhile reads the former one or this one.

    A link to a folder stays one. The index is to `settle` then.
    """
    with replacing(folder.resolve()) as aside:
        for name, (place, _) in index.facts.stored().items():
            (aside / place).mkdir(parents=True)
            index.engines[name].write(aside / place)
        if index.colour is not None:
            (aside / COLOUR).mkdir()
            index.colour.write(aside / COLOUR)
        write_parquet(aside / ROWS, index.table)
        if index.values is not None:
            write_parquet(aside / VALUES, index.values)
        write_json(aside / FACTS, asdict(index.facts.holding(len(index), index.engines)))


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Context in which no other process writes the index in `folder`. Raises UserError when one does.

    What writers that were killed left beside it is put back, or removed.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{folder}: another process changes the index; wait for it, then run again") from None
    try:
        former = _left_beside(folder, "former")
        if former and not folder.exists():
            former.pop().replace(folder)
        for left in [*former, *_left_beside(folder, "part")]:
            remove(left)
        yield
    finally:
        lock.release()


def _left_beside(folder: Path, ending: str) -> list[Path]:
    """What `replacing` has left beside the folder, of processes that were killed."""
    name = re.compile(re.escape(folder.name) + r"\.[0-9a-f]+\." + ending)
    return sorted(path for path in folder.parent.glob(f".*.{ending}") if name.fullmatch(path.name[1:]))


def read_index(folder: Path) -> Index:
    """The index in `folder`, also while it is swapped. Raises UserError when there is none, or it is damaged.

    Where a command was killed between the two renames of a swap, the former one is put back.
    """
    for _ in range(ATTEMPTS):
        try:
            before = stamp(folder)
            index = _read(folder)
            if stamp(folder) == before:
                return index
            problem = UserError(f"{folder}: the index changes all the time; try again")
        except UserError as error:  # it may lie between two renames just now
            problem = error
        sleep(PAUSE)
    whole = folder.resolve()
    if whole.exists() or not _left_beside(whole, "former"):
        raise problem
    with changing(folder):  # nobody is at work on it
        return _read(folder)


def read_facts(folder: Path) -> Facts:
    """The facts of the index in `folder`. Raises UserError when there is none, or it is damaged."""
    path = folder / FACTS
    try:
        with opening(path):
            if not path.is_file():
                raise UserError(f"{folder}: no index here; {MEND}")
            content = path.read_text()
        return Facts.of(json.loads(content))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: not the facts of an index ({error}); {MEND}") from error


def stamp(folder: Path) -> Stamp:
    """What tells the index in `folder` from another one, also while its files are exchanged one by one.

    Raises UserError when there is none.
    """
    try:
        with opening(folder):
            (folder / FACTS).stat()
            files = [(path, path.stat()) for path in files_in(folder)]
    except OSError:
        raise UserError(f"{folder}: no index here; {MEND}") from None
    return tuple((str(path), facts.st_ino, facts.st_mtime_ns, facts.st_size) for path, facts in files)


def _read(folder: Path) -> Index:
    from pipeline.retrieval.engines.choice import read_engine

    facts, table = read_facts(folder), read_parquet(folder / ROWS, MEND)
    try:
        with opening(folder):
            engines = {name: read_engine(folder / place, held) for name, (place, held) in facts.stored().items()}
            colour = None if facts.colour is None else Vectors.read(folder / COLOUR)
    except (OSError, EOFError, ValueError, KeyError, RuntimeError) as error:  # faiss raises the last one
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise UserError(f"{folder}: damaged index ({reason}); {MEND}") from error
    values = read_parquet(folder / VALUES, MEND) if facts.attributes else None
    index = Index(facts, table, engines, colour, values)
    _check(folder, index)
    return index


def _check(folder: Path, index: Index) -> None:
    """Raise UserError unless all that the index holds is of the same rows; engines of attributes hold some of them."""
    wanted = {ROWS: (index.table, (ROW, *TEXTS, *BOX)), VALUES: (index.values, (ROW, ATTRIBUTE, VALUE))}
    for name, (table, columns) in wanted.items():
        missing = [column for column in columns if table is not None and column not in table]
        if missing:
            raise UserError(f"{folder / name}: no column {missing[0]!r}; {MEND}")
    some = {place: index.engines[name].ids for name, (place, _) in index.facts.stored().items()}
    same = {} if index.facts.attributes else some
    if index.colour is not None:
        same[COLOUR] = index.colour.ids
    for name, ids in (some | same).items():
        if not (np.array_equal(ids, index.ids) if name in same else np.isin(ids, index.ids).all()):
            raise UserError(f"{folder / name}: holds {len(ids)} rows, others than the {len(index)} of {ROWS}; {MEND}")
