"""The program of torch.export: captured once, written, read back."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from pipeline.base.errors import UserError
from pipeline.export.compose import PICTURES, Composed

FILE = "model.pt2"
CAPTURED = 2  # pictures: a batch of 1 would be taken for the only size

Runner = Callable[[Mapping[str, Tensor]], np.ndarray]  # inputs by name -> embeddings (B, D) float32


def sizes(model: Composed) -> dict[str, dict[int, Dim]]:
    """The axes of each input whose length is free."""
    free = {name: {0: Dim("batch", min=1)} for name in model.inputs}
    if model.resize != "none":
        free[PICTURES] |= {1: Dim("height", min=1), 2: Dim("width", min=1)}
    return free


def capture(model: Composed) -> ExportedProgram:
    """`model` as a graph. Raises UserError when torch.export cannot follow it."""
    side = model.wanted.size
    # No square, where sides are free: equal lengths are not to look like one.
    shape = (side, side) if model.resize == "none" else (side + 9, side + 24)
    example = model.batch(np.zeros((CAPTURED, *shape, 3), np.uint8))
    try:
        with warnings.catch_warnings(action="ignore"):
            program = torch.export.export(model, tuple(example.values()), dynamic_shapes=sizes(model))
    except Exception as error:  # of many types, none of its own
        raise UserError(f"torch.export cannot follow this network ({first_line(error)}); take another") from error
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def write_program(path: Path, program: ExportedProgram) -> None:
    """Write it to `path`."""
    with warnings.catch_warnings(action="ignore"):
        torch.export.save(program, path)


def read_program(path: Path) -> Runner:
    """What runs the program in `path`."""
    with warnings.catch_warnings(action="ignore"):
        module = torch.export.load(path).module()

    @torch.inference_mode()
    def run(inputs: Mapping[str, Tensor]) -> np.ndarray:
        return module(*inputs.values()).numpy()

    return run


def first_line(error: Exception) -> str:
    """What an error says, in a line."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
