"""The file of ONNX: written from a program, read back by onnxruntime."""

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from pipeline.base.errors import UserError
from pipeline.export.compose import EMBEDDINGS, Composed
from pipeline.export.options import EXTRA, NEWEST_OPSET, OLDEST_OPSET
from pipeline.export.program import Runner, first_line, sizes

FILE = "model.onnx"
LARGEST = 1_900_000_000  # bytes of weights in the file itself; protobuf ends at 2 GB


def check_packages() -> None:
    """Raise UserError unless the packages of the extra `export` are here."""
    if missing := [name for name in EXTRA if find_spec(name) is None]:
        raise UserError(f"{', '.join(missing)}: not installed; run `pip install 'crosswear[export]'`")


def check_opset(opset: int) -> None:
    """Raise UserError for one that the installed onnx does not know, or that the exporter does not speak."""
    import onnx

    newest = min(NEWEST_OPSET, onnx.defs.onnx_opset_version())
    if not OLDEST_OPSET <= opset <= newest:
        known = f"{OLDEST_OPSET} to {newest}"
        raise UserError(f"--opset: {opset} cannot be written with onnx {onnx.__version__}; give one of {known}")


def write_onnx(path: Path, program: ExportedProgram, model: Composed, opset: int) -> None:
    """Write `program`, which was captured of `model`, to `path`; beside it where it holds more than 2 GB.

    Raises UserError when the exporter cannot translate it.
    """
    names = {"input_names": list(model.inputs), "output_names": [EMBEDDINGS]}
    size = sum(tensor.nbytes for tensor in program.state_dict.values())
    try:
        with warnings.catch_warnings(action="ignore"):
            made = torch.onnx.export(
                program, dynamo=True, opset_version=opset, dynamic_shapes=sizes(model), verbose=False, **names
            )
        made.save(path, external_data=size > LARGEST)
    except Exception as error:  # of many types, none of its own
        raise UserError(f"ONNX cannot say this network ({first_line(error)}); give another --opset") from error


def read_onnx(path: Path) -> Runner:
    """What runs the file `path` on the CPU. Raises UserError when onnxruntime cannot."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)  # it warns of graphics cards that are not there
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many types, none of its own
        raise UserError(
            f"onnxruntime {onnxruntime.__version__} cannot run what was exported ({first_line(error)}); lower --opset"
        ) from error

    def run(inputs: Mapping[str, Tensor]) -> np.ndarray:
        return session.run([EMBEDDINGS], {name: values.numpy() for name, values in inputs.items()})[0]

    return run
