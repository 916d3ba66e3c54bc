"""The weights in a foreign checkpoint, by the names they have there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from pipeline.base.errors import UserError

STATES = ("state_dict", "model", "model_state_dict")
WRAPPED = re.compile(r"^(?:module\.|_orig_mod\.)+")  # of a model on several GPUs, or compiled
KNOWN = "not a checkpoint of dirtorch, UDMA or RPF"
NAMED = 4  # keys named in an error


@dataclass(frozen=True)
class Converted:
    """What became of a checkpoint: in words, and what of it was ignored."""

    what: str
    ignored: list[str]


def weights_of(checkpoint: Any, path: Path) -> dict[str, Tensor]:
    """Its tensors by name, without the prefix of a model on several GPUs. Raises UserError when it has none."""
    state = _state(checkpoint) if isinstance(checkpoint, Mapping) else None
    if not state:
        raise UserError(f"{path}: no state_dict in it; {KNOWN}")
    weights = {WRAPPED.sub("", str(name)): value for name, value in state.items()}
    foreign = [name for name, value in weights.items() if not isinstance(value, Tensor)]
    if foreign:
        raise UserError(f"{path}: {foreign[0]} in its state_dict is no tensor; {KNOWN}")
    return weights


def compare(
    state: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    path: Path,
    mend: str,
    told: Callable[[str], str] = str,
) -> None:
    """Raise UserError, ending in `mend`, unless names and shapes are those expected; `told` says how one is called."""
    problems = {
        "missing": [name for name in expected if name not in state],
        "unexpected": [name for name in state if name not in expected],
        "of a wrong shape": [
            f"{name} {tuple(state[name].shape)} instead of {tuple(expected[name].shape)}"
            for name in expected
            if name in state and state[name].shape != expected[name].shape
        ],
    }
    found = [f"{what}: {_few([told(name) for name in names])}" for what, names in problems.items() if names]
    if found:
        raise UserError(f"{path}: weights {'; '.join(found)}; {mend}")


def check_values(state: Mapping[str, Tensor], path: Path, told: Callable[[str], str] = str) -> None:
    """Raise UserError for weights that are not finite."""
    broken = [name for name, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise UserError(f"{path}: weights not finite: {_few([told(name) for name in broken])}; get it again")


def _state(checkpoint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The weights under one of the keys of `STATES`, or the checkpoint itself where it holds weights alone."""
    held = next((checkpoint[key] for key in STATES if isinstance(checkpoint.get(key), Mapping)), None)
    return checkpoint if held is None and all(isinstance(value, Tensor) for value in checkpoint.values()) else held


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
