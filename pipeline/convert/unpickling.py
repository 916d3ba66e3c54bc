"""Reading checkpoints that `torch.save` wrote elsewhere, with no more trust than they need."""

import pickle
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from pipeline.base.errors import UserError
from pipeline.base.opening import opening
from pipeline.base.signatures import foreign_kind


def load_checkpoint(path: Path, *, trust: bool) -> Any:
    """What `torch.save` wrote to `path`, on the CPU.

    Without `trust` only tensors and plain containers are accepted (`weights_only` of torch.load). With it whatever the
    file names is imported and run, and what is not installed here is passed over.
    Raises UserError for a missing or damaged file, one of another kind, and one whose objects take trust.
    """
    with opening(path):
        if not path.is_file():
            raise UserError(f"{path}: no such file")
    if kind := foreign_kind(path):
        raise UserError(f"{path}: not a checkpoint of torch.save but {kind}")
    how = {"pickle_module": _tolerant_pickle()} if trust else {}
    try:
        return torch.load(path, map_location="cpu", weights_only=not trust, **how)
    except Exception as error:  # the bytes of a stranger's file may raise anything in an unpickler
        text = str(error)
        if not trust and (found := re.search(r"\bGLOBAL ([\w.]+)", text)):
            raise UserError(
                f"{path}: holds pickled objects ({found[1]}) beside tensors, and reading those can run any code; "
                "if you trust where the file comes from, add --trust"
            ) from None
        if not trust and "Unsupported operand" in text:
            raise UserError(f"{path}: in a later protocol of pickle; save it again with pickle_protocol=2") from None
        reason = (text.strip().splitlines() or [type(error).__name__])[-1][:120]
        raise UserError(f"{path}: not a checkpoint of torch.save, or truncated ({reason}); get it again") from None


class _Tolerant(pickle.Unpickler):
    """An unpickler that puts an empty object where a class is not to be had (of an old scikit-learn, say)."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            return type(name, (_Absent,), {})


class _Absent:
    """Takes the place of an object whose class is not installed."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def _tolerant_pickle() -> ModuleType:
    module = ModuleType("tolerant_pickle")
    module.Unpickler = _Tolerant
    module.load = lambda file, **options: _Tolerant(file, **options).load()
    return module
