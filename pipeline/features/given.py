"""A dataset that gives features instead of pictures; its folder `data/raw/<dataset>/` holds:

- `features/<part>.h5` for every part that has rows, as `pipeline.features.store` writes them;
- `model/`: the head between pooled features and embeddings (`pipeline.models.folder`), and no backbone;
- `given.json`: facts about both, by which such a folder is known. `head` says where the head is from.

Nothing behind `download` knows the files that these are made from. Every row of the manifest has the digest of
the whole folder; recipe `given` takes the head.
"""

import json
from pathlib import Path
from typing import Any

from pipeline.base.errors import UserError
from pipeline.base.opening import opening
from pipeline.base.reports import write_json

MADE_BY = "download"
MEND = f"run `dvc repro -f {MADE_BY}`"
FACTS = "given.json"


def gives_features(folder: Path) -> bool:
    """Whether the dataset in `folder` gives features."""
    return (folder / FACTS).is_file()


def features_file(folder: Path, part: str) -> Path:
    """Where the features of `part` lie."""
    return folder / "features" / f"{part}.h5"


def head_folder(folder: Path) -> Path:
    """Where the head lies."""
    return folder / "model"


def write_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Write the facts."""
    write_json(folder / FACTS, facts)


def read_facts(folder: Path) -> dict[str, Any]:
    """What `write_facts` wrote. Raises UserError when it is missing or damaged."""
    try:
        with opening(folder / FACTS):
            return json.loads((folder / FACTS).read_text())
    except (OSError, ValueError):
        raise UserError(f"{folder / FACTS}: missing or not JSON; {MEND}") from None
