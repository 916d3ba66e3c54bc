"""Pictures of manifest rows as batches, decoded by workers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, IMAGE
from pipeline.images.decode import UnreadableImage, load_image
from pipeline.images.transforms import Transform


class Pictures(Dataset):
    """Rows of the manifest as tensors. `raw` is the folder that the `image` column is relative to.

    `side`: pixels that the transform makes of a picture; large JPEGs are decoded at no more than needed for twice that.
    """

    def __init__(self, table: pd.DataFrame, raw: Path, transform: Transform, side: int) -> None:
        self.raw, self.transform, self.side = raw, transform, side
        self.images = table[IMAGE].tolist()
        boxes = table[list(BOX)].to_numpy(dtype=np.float64)
        self.boxes = [None if np.isnan(box).any() else tuple(box.tolist()) for box in boxes]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        path = self.raw / self.images[index]
        try:
            return self.transform(load_image(path, self.boxes[index], target_side=2 * self.side))
        except UnreadableImage as error:
            raise UserError(f"{path}: {error}; run `dvc repro prepare` to check the pictures again") from error


def load_batches(pictures: Pictures, batch_size: int, workers: int) -> Iterator[Tensor]:
    """All pictures in order, in batches (B, 3, S, S) float32."""
    yield from DataLoader(pictures, batch_size=batch_size, num_workers=workers)
