"""Pictures of manifest rows as batches, decoded by workers."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, IMAGE
from pipeline.images.decode import UnreadableImage, as_box, load_image
from pipeline.images.transforms import Transform


class Conditioned(NamedTuple):
    """Pictures (..., 3, S, S), and beside each the integer (...) that its network asks for."""

    images: Tensor
    condition: Tensor


Inputs = Tensor | Conditioned


class Pictures(Dataset):
    """Rows of the manifest as tensors. `raw` is the folder that the `image` column is relative to.

    `side`: pixels that the transform makes of a picture; large JPEGs are decoded at no more than needed for twice that.
    `conditions` (N,) int64: what the network asks for beside each picture, which is then `Conditioned`.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        raw: Path,
        transform: Transform,
        side: int,
        conditions: np.ndarray | None = None,
    ) -> None:
        self.raw, self.transform, self.side = raw, transform, side
        self.conditions = None if conditions is None else torch.from_numpy(conditions)
        self.images = table[IMAGE].tolist()
        boxes = table[list(BOX)].to_numpy(dtype=np.float64)
        self.boxes = [as_box(box) for box in boxes]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Inputs:
        picture = self._picture(index)
        return picture if self.conditions is None else Conditioned(picture, self.conditions[index])

    def _picture(self, index: int) -> Tensor:
        path = self.raw / self.images[index]
        try:
            return self.transform(load_image(path, self.boxes[index], target_side=2 * self.side))
        except UnreadableImage as error:
            mend = error.mend or "run `dvc repro prepare` to check the pictures again"
            raise UserError(f"{path}: {error}; {mend}") from error


def load_batches(pictures: Pictures, batch_size: int, workers: int) -> Iterator[Inputs]:
    """All pictures in order, in batches (B, 3, S, S) float32."""
    yield from DataLoader(pictures, batch_size=batch_size, num_workers=workers)


def stack(pictures: Sequence[Inputs]) -> Inputs:
    """Pictures one by one as a batch."""
    if isinstance(pictures[0], Conditioned):
        return Conditioned(*(torch.stack(parts) for parts in zip(*pictures, strict=True)))
    return torch.stack(pictures)


def to_device(inputs: Inputs, device: torch.device, memory_format: torch.memory_format = torch.channels_last) -> Inputs:
    """The batch on `device`, its images laid out in this format; features (N, P) are as they are."""
    if isinstance(inputs, Conditioned):
        return Conditioned(to_device(inputs.images, device, memory_format), inputs.condition.to(device))
    return inputs.to(device, memory_format=memory_format) if inputs.ndim == 4 else inputs.to(device)
