"""Pictures as the models of an index see them: one backbone, a head a model, colour features beside."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.base.names import CATEGORY
from pipeline.features.colours import Colours
from pipeline.features.store import model_mark
from pipeline.images.loading import Conditioned, to_device
from pipeline.images.transforms import inference_transform
from pipeline.models.folder import check_width, load_head
from pipeline.models.kinds import load_embedder
from pipeline.retrieval.finding import Query
from pipeline.retrieval.index.folder import MEND, Facts, Model


class Embedded(NamedTuple):
    """Embeddings (N, D) float32 of unit length, by model, and colour features (N, C) float32, if there are any."""

    vectors: dict[str, np.ndarray]
    colour: np.ndarray | None

    def of(self, row: int, model: str) -> Query:
        """One of them, as `model` sees it."""
        return Query(self.vectors[model][row], None if self.colour is None else self.colour[row])


class QueryEmbedder:
    """The networks that an index was made with. Safe for threads, which take turns on a GPU."""

    def __init__(self, facts: Facts, device: torch.device) -> None:
        """Load them. Raises UserError when they are gone, or are not those that the index was made with."""
        backbone = Path(facts.backbone.folder)
        _check_mark(facts.backbone)
        self.device = device
        self.network = load_embedder(backbone).to(device, memory_format=torch.channels_last)
        self.heads = {}
        for name, model in facts.models.items():
            _check_mark(model)
            head = load_head(Path(model.folder))
            check_width(head, self.network.head.shape[1], Path(model.folder))
            self.heads[name] = head.to(device).eval()
        self.colours = None if facts.colour is None else Colours.of(self.network, **facts.colour)
        self.side = self.network.input.decoded_side
        self._transform = inference_transform(self.network.input)
        self._turn = nullcontext() if device.type == "cpu" else Lock()

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Image.Image], category: str | None = None) -> Embedded:
        """Embed RGB `pictures`, of things of this category for networks that want to be told."""
        images = torch.stack([self._transform(picture) for picture in pictures])
        told = self.network.conditions(pd.DataFrame({CATEGORY: [category or ""] * len(pictures)}))
        inputs = images if told is None else Conditioned(images, torch.from_numpy(told))
        with self._turn:
            inputs = to_device(inputs, self.device)
            if self.colours is None:
                pooled, colour = self.network.pool(inputs), None
            else:
                pooled, colour = self.colours.pool(inputs)
                colour = colour.cpu().numpy()
            return Embedded({name: head(pooled).cpu().numpy() for name, head in self.heads.items()}, colour)


def _check_mark(model: Model) -> None:
    mark = model_mark(Path(model.folder))
    if mark != model.mark:
        raise UserError(f"an index of model {model.mark}, where {model.folder} holds model {mark}; {MEND}")
