"""The presets of docs/presets, with the params that DVC makes of them."""

import shlex
import shutil
from pathlib import Path
from typing import Any

from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline.datasets._shared.face import params_file
from support.project import PROJECT


def preset_params(name: str, folder: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """`data` of params.yaml, and set -> its params, as `xargs dvc exp run < docs/presets/<name>.txt` has them.

    The files are made in `folder`.
    """
    words = shlex.split((PROJECT / f"docs/presets/{name}.txt").read_text())
    assert set(words[::2]) == {"-S"}
    made: dict[str, dict[str, Any]] = {}

    def read(file: str) -> dict[str, Any]:
        if not (folder / file).exists():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / file, folder / file)
        return YAML(typ="safe").load((folder / file).read_text())

    overrides: dict[str, list[str]] = {"params.yaml": []}
    for word in words[1::2]:
        file, colon, override = word.partition(".yaml:")
        file, override = (f"{file}.yaml", override) if colon else ("params.yaml", word)
        overrides.setdefault(file, []).append(override)
    for file, of_file in overrides.items():
        read(file)
        apply_overrides(folder / file, of_file)  # all at once, as DVC does: what they leave of comments must be YAML
    data = read("params.yaml")["data"]
    for one in data["sets"]:
        made[one] = read(params_file(one).as_posix())
    return data, made
