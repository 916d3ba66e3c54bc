"""Any checkpoint that is understood as the folder of a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.base.errors import UserError
from pipeline.convert import dirtorch, rpf
from pipeline.convert.state import Converted, weights_of


def convert(
    checkpoint: Any, path: Path, out: Path, *, attributes: Sequence[str] | None = None, beta: float | None = None
) -> Converted:
    """Write the loaded `checkpoint` of dirtorch, UDMA or RPF to the new folder `out`; `path` names it in errors.

    `attributes` and `beta`: what is not in the files of RPF. Raises UserError when it is no such checkpoint, or has
    options or weights that do not fit.
    """
    weights = weights_of(checkpoint, path)
    if rpf.is_of_rpf(weights):
        return rpf.convert(checkpoint, weights, path, out, attributes=attributes, beta=beta)
    if attributes is not None or beta is not None:
        raise UserError(f"{path}: not of RPF, which alone has attributes and beta; leave --attributes and --beta out")
    return dirtorch.convert(checkpoint, weights, path, out)
