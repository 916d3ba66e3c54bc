"""The common face of a dataset: a folder of `pipeline.datasets`.

It holds what describes the dataset, `params.yaml`, and how it is read, the module `reader` with three names:

- `Params`: a `Section`, the content of that file;
- `fetch(source, out, params, seed, downloads)`: fill the empty folder `out` with the dataset's files; what comes from
  the network goes to `downloads` first, which outlives a broken run;
- `read_table(root, params)`: the files under `root` (what `fetch` made) as a table with the columns of the
  manifest except `digest`, and `dataset` unless it joins several; `image` is relative to `root`.

A folder without `reader` is read by `pipeline.datasets._shared.listed`. A set imports nothing of another set's folder.
It may have two names more: `describe(root)`, a line about what `fetch` made, which `download` says; and
`read_attributes(root, params, table)`, what is known of the pictures: columns `row` (place in `table`, which is what
`read_table` gave), `attribute`, `value`, and `split` where that is not the picture's (see `check_attributes`).
A dataset may give features instead of pictures: its `fetch` then writes what `pipeline.features.given` says.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.params import Section, load_params, parse_file
from pipeline.base.plugins import load_plugin

DATASETS = "pipeline.datasets"


class Dataset(Protocol):
    """The module `reader` of a dataset; see this module's docstring."""

    Params: type[Section]

    def fetch(self, source: Path, out: Path, params: Section, *, seed: int, downloads: Path) -> None: ...

    def read_table(self, root: Path, params: Section) -> pd.DataFrame: ...


def params_file(name: str) -> Path:
    """Where what describes the dataset stands, from the project's folder, as DVC names it too."""
    return Path(*DATASETS.split("."), name, "params.yaml")


def load_dataset(
    name: str, read: Callable[[Path], dict[str, Any]] = load_params
) -> tuple[Dataset | ModuleType, Section]:
    """The module that reads the dataset `name`, and its params; `read` gives the content of a params file.

    Raises UserError for an unknown name, and naming file and key for a mistaken param.
    """
    package = load_plugin(DATASETS, name, "data.sets")
    if (Path(package.__path__[0]) / "reader.py").is_file():
        module = import_module(f"{package.__name__}.reader")
    else:
        from pipeline.datasets._shared import listed as module
    file = params_file(name)
    return module, parse_file(read(file), file, module.Params)


@contextmanager
def told_of(source: Path, out: Path) -> Iterator[None]:
    """Context in which an error about a file in `out`, a copy, names the user's own, in `source`.

    What is not there has come out of an archive, and is named as it lies in the set.
    """
    try:
        yield
    except UserError as error:
        before, *rest = str(error).split(str(out))
        told = [text[1:] if text[:1] == "/" and not _is_there(source, text[1:]) else f"{source}{text}" for text in rest]
        raise UserError("".join([before, *told])) from error


def _is_there(source: Path, text: str) -> bool:
    """Whether `text` begins with the path of a file in `source`, or the same gzipped."""
    ends = [place for place, letter in enumerate(text) if letter in ": "] + [len(text)]
    return any((source / f"{text[:end]}{suffix}").is_file() for end in ends for suffix in ("", ".gz"))
