"""What was exported beside the model it is from: the largest deviation of an embedding."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from pipeline.base.errors import UserError
from pipeline.export.compose import Composed
from pipeline.export.options import Resize
from pipeline.export.program import Runner
from pipeline.images.loading import Pictures
from pipeline.images.transforms import framed, inference_transform

# Of a value of a unit vector. A graph that resizes rounds to grey levels, where a last digit may decide.
TOLERANCE: Mapping[Resize, float] = {"none": 1e-4, "own": 1e-3, "squash": 1e-3}
DRAWN, SHOWN = 2, 8  # pictures of noise, and of the manifest
SEED = 0


class Samples(NamedTuple):
    """Pictures (H, W, 3) uint8 to compare on, of noise and real ones; and the rows the latter are of."""

    noise: list[np.ndarray]
    real: list[np.ndarray]
    rows: pd.DataFrame
    raw: Path


class Measured(NamedTuple):
    """Largest deviations: of each export from the model, by its name, and of the model from how the chain embeds.

    `chain` is None without real pictures, of which there were `real`.
    """

    exports: dict[str, float]
    chain: float | None
    real: int


def draw_samples(model: Composed, rows: pd.DataFrame, raw: Path) -> Samples:
    """Some of the pictures of `rows` of the manifest, which lie in `raw`, as `model` takes them; and noise."""
    wanted, random = model.wanted, np.random.default_rng(SEED)
    shown = rows.iloc[np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).round().astype(int)]
    transform = framed(wanted) if model.resize == "none" else np.asarray
    pictures = Pictures(shown, raw, transform, wanted.decoded_side)
    sides = [0] * DRAWN if model.resize == "none" else [1 + 7 * number for number in range(DRAWN)]
    noise = [random.integers(0, 256, (wanted.size + more, wanted.size + 2 * more, 3), dtype=np.uint8) for more in sides]
    return Samples(noise, [pictures[number] for number in range(len(shown))], shown, raw)


def measure(model: Composed, exports: Mapping[str, Runner], samples: Samples) -> Measured:
    """Compare on batches of one picture and of three."""
    worst = dict.fromkeys(exports, 0.0)
    for batch in _batches([*samples.noise, *samples.real]):
        inputs = model.batch(batch)
        wanted = model.run(inputs)
        for name, run in exports.items():
            worst[name] = max(worst[name], deviation(run(inputs), wanted))
    return Measured(worst, _from_chain(model, samples), len(samples.real))


def deviation(got: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference of a value of rows (B, D), as a share of the length of the row where that exceeds 1.

    What is no number, or of another shape, deviates infinitely.
    """
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    lengths = np.maximum(1, np.linalg.norm(wanted, axis=1, keepdims=True))
    return float((np.abs(got - wanted) / lengths).max())


def check(measured: Measured, resize: Resize, tolerance: float) -> None:
    """Raise UserError when an export deviates by over `tolerance`; where it does not resize, from the chain too."""
    found = dict(measured.exports)
    if resize == "none" and measured.chain is not None:
        found["the preprocessing"] = measured.chain
    for name, value in found.items():
        if not value <= tolerance:
            raise UserError(
                f"{name} deviates by {value:.2g} from the model, more than {tolerance:g}: nothing is written; "
                "give another --opset, or another version of onnxruntime or torch"
            )


def _batches(pictures: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    for picture in pictures:
        yield picture[None]
        yield np.stack([picture, picture[:, ::-1], picture[::-1]])


@torch.inference_mode()
def _from_chain(model: Composed, samples: Samples) -> float | None:
    """How far embeddings of the real pictures are from those of the stages, which resize by PIL."""
    if not samples.real:
        return None
    network, head = model.network, model.network.head
    as_stages = Pictures(samples.rows, samples.raw, inference_transform(network.input), network.input.decoded_side)
    worst = 0.0
    for number, picture in enumerate(samples.real):
        pooled, code = network.pool(as_stages[number][None]), torch.zeros(1, dtype=torch.int64)
        wanted = head.project(pooled, code) if model.raw else head(pooled, code)
        worst = max(worst, deviation(model.run(model.batch(picture[None])), wanted.numpy()))
    return worst
