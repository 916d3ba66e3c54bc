"""An export as a folder: both files and the card, checked before they are there."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from pipeline.base.atomic import publish
from pipeline.base.errors import UserError
from pipeline.base.progress import progress
from pipeline.base.reports import write_text
from pipeline.export import card, onnx_file, program
from pipeline.export.compose import Chosen, Composed
from pipeline.export.options import EXTRA, Resize
from pipeline.export.provenance import licence_lines
from pipeline.export.verify import TOLERANCE, Measured, check, draw_samples, measure
from pipeline.features.store import model_mark

FILES = (card.FILE, program.FILE, onnx_file.FILE, f"{onnx_file.FILE}.data")
STEPS = 4
PACKAGES = ("torch", "timm", *EXTRA)


def check_out(folder: Path) -> None:
    """Raise UserError when `folder` is something else than an export, which would be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: a file; name a folder")
    others = sorted(file.name for file in folder.iterdir() if file.name not in FILES) if folder.is_dir() else []
    if others:
        raise UserError(f"{folder}: holds {others[0]}, no part of an export; name another folder or remove it")


def write_export(
    out: Path,
    chosen: Chosen,
    *,
    resize: Resize,
    raw: bool,
    opset: int,
    training: Sequence[str],
    tested: pd.DataFrame,
    raw_folder: Path,
    figures: Mapping[str, float],
    scope: str,
    scratch: Path,
) -> Measured:
    """Write `chosen` as ONNX and as a program of torch.export with its card into the folder `out`.

    training: lines of what it learnt from; tested: rows of the manifest whose pictures, in `raw_folder`, both are
    checked on; figures: of the model, by metric, scope: of what they are. Work in progress lies in `scratch`. Raises
    UserError, writing nothing, when an export cannot be made or deviates from the model.
    """
    onnx_file.check_opset(opset)
    check_out(out)
    model = Composed(chosen.network, resize, raw=raw)
    samples = draw_samples(model, tested, raw_folder)
    with _aside(scratch) as made, progress(what=f"export {chosen.name}", total=STEPS, unit="step") as steps:
        captured = program.capture(model)
        program.write_program(made / program.FILE, captured)
        steps.update()
        onnx_file.write_onnx(made / onnx_file.FILE, captured, model, opset)
        steps.update()
        exports = {
            "ONNX": onnx_file.read_onnx(made / onnx_file.FILE),
            "torch.export": program.read_program(made / program.FILE),
        }
        steps.update()
        measured = measure(model, exports, samples)
        check(measured, resize, TOLERANCE[resize])
        steps.update()
        facts = card.Facts(
            opset=opset,
            tolerance=TOLERANCE[resize],
            marks={folder.as_posix(): model_mark(folder) for folder in chosen.folders},
            versions={name: version(name) for name in PACKAGES},
            training=training,
            figures=figures,
            scope=scope,
            licences=licence_lines(chosen.network.params, chosen.name),
        )
        write_text(made / card.FILE, card.model_card(chosen, model, measured, facts))
        publish(made, out)
    return measured


@contextmanager
def _aside(scratch: Path) -> Iterator[Path]:
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch) as folder:
        made = Path(folder) / "export"
        made.mkdir()
        yield made
