"""A dataset that brings its features instead of pictures; this is its folder `data/raw/<dataset>/`:

- `brought.json`: facts about what it brings, by which such a folder is known;
- `table.parquet`: the rows of the manifest, in order; `image` says where a row's features come from;
- `features/<part>.h5`: one for every part that has rows, in the format of `pipeline.features.store`;
- `model/`: the head between pooled features and embeddings (`pipeline.models.folder`), and no backbone.

Nothing behind `download` knows the files such a dataset is made from.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from pyarrow import ArrowException

from pipeline.base.atomic import replacing
from pipeline.base.errors import UserError
from pipeline.base.names import DATASET, DIGEST, IMAGE
from pipeline.base.reports import write_json
from pipeline.base.workspace import fingerprint
from pipeline.table.counts import count_categories, count_parts

FACTS, TABLE = "brought.json", "table.parquet"
FEATURES, MODEL = "features", "model"
MEND = "run `dvc repro -f download`"


def brings_features(folder: Path) -> bool:
    """Whether the dataset in `folder` brings features."""
    return (folder / FACTS).is_file()


def brought_folder(raw: Path, manifest: pd.DataFrame) -> Path | None:
    """The folder below `raw` of the dataset in the manifest if that brings features, else None."""
    folders = [raw / str(name) for name in manifest[DATASET].unique()]
    return next(filter(brings_features, folders), None)


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write the facts, last: they make `folder` one that brings features."""
    write_json(folder / FACTS, facts)


def read_facts(folder: Path) -> dict[str, Any]:
    """What `write_facts` wrote. Raises UserError when it is damaged."""
    try:
        return json.loads((folder / FACTS).read_text())
    except ValueError:
        raise UserError(f"{folder / FACTS}: not JSON; {MEND}") from None


def describe_facts(folder: Path) -> str:
    """The facts in a line."""
    facts = read_facts(folder)
    head = facts["head"]
    unit = "all" if facts["pooled_of_unit_length"] else "not all"
    return (
        f"brings features: width {facts['pooled_width']} (pooled, {unit} rows of unit length) to "
        f"{facts['embedding_width']}; head from {head['from']}, norm_features {str(head['norm_features']).lower()}, "
        f"mean cosine {head['mean_cosine']:.4f} between its output and the embeddings brought"
    )


def write_table(folder: Path, table: pd.DataFrame) -> None:
    """Write the rows of the manifest."""
    with replacing(folder / TABLE) as aside:
        table.to_parquet(aside, engine="pyarrow", index=False)


def read_table(folder: Path) -> pd.DataFrame:
    """What `write_table` wrote. Raises UserError when it is missing or damaged."""
    try:
        return pd.read_parquet(folder / TABLE, engine="pyarrow")
    except (ArrowException, OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder / TABLE}: missing or damaged ({str(error).splitlines()[0]}); {MEND}") from None


def features_file(folder: Path, part: str) -> Path:
    """Where the features of `part` lie."""
    return folder / FEATURES / f"{part}.h5"


def finish_brought(table: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The manifest from the checked table of the dataset in `folder`, and a report: all rows, in order.

    `digest` is that of all that the folder holds: other features or another head make another manifest.
    """
    digest = fingerprint(params=[], inputs=[folder], modules=[])
    manifest = table.assign(**{IMAGE: table[DATASET] + "/" + table[IMAGE], DIGEST: digest})
    report = {"rows_with_features": len(manifest), "pictures": 0}
    return manifest, {**report, "parts": count_parts(manifest), "categories": count_categories(manifest)}
