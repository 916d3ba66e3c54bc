"""The common face of a dataset: a package of `pipeline.datasets`, whose module `reader` has three names:

- `Params`: a `DatasetParams`, its section `datasets.<name>` of params.yaml;
- `fetch(source, out, params, seed, downloads)`: fill the empty folder `out` with the dataset's files; what comes from
  the network goes to `downloads` first, which outlives a broken run;
- `read_table(root, params)`: the files under `root` (what `fetch` made) as a table with the columns of the
  manifest except `digest`, and `dataset` unless it joins several; `image` is relative to `root`.

It may have two more: `describe(root)`, a line about what `fetch` made, which `download` says; and `GIVES = "features"`,
when it gives features instead of pictures: `fetch` then writes what `pipeline.datasets._shared.given` says.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pandas as pd

from pipeline.base.plugins import load_plugin
from pipeline.params.base import Section, read_section

DATASETS = "pipeline.datasets"

# target category -> the source categories it is aligned with
Alignment = dict[str, list[str]]


class DatasetParams(Section):
    """What every dataset's section has."""

    alignment: Alignment


class Dataset(Protocol):
    """The module `reader` of a dataset; see this module's docstring."""

    Params: type[DatasetParams]

    def fetch(self, source: Path, out: Path, params: DatasetParams, *, seed: int, downloads: Path) -> None: ...

    def read_table(self, root: Path, params: DatasetParams) -> pd.DataFrame: ...


def load_dataset(params: dict[str, Any], name: str) -> tuple[Dataset | ModuleType, DatasetParams]:
    """The dataset module `name` and its section of `params`. Raises UserError for an unknown name or param."""
    module = import_module(f"{load_plugin(DATASETS, name, 'data.dataset').__name__}.reader")
    return module, read_section(params, f"datasets.{name}", module.Params)
