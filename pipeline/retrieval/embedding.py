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
from pipeline.base.names import ATTRIBUTE, CATEGORY, Domain
from pipeline.features.colours import Colours
from pipeline.features.store import model_mark
from pipeline.images.loading import Conditioned, Inputs, to_device
from pipeline.images.transforms import framed, inference_transform
from pipeline.models.folder import Adapted, check_width, load_adapted
from pipeline.models.kinds import load_embedder
from pipeline.retrieval.answers import Attention
from pipeline.retrieval.finding import Query
from pipeline.retrieval.index.folder import MEND, Facts, Model
from pipeline.table.domains import domain_codes


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
        self.models: dict[str, Adapted] = {}
        for name, model in facts.models.items():
            _check_mark(model)
            head, mix = load_adapted(Path(model.folder))
            check_width(head, self.network.head.shape[1], Path(model.folder))
            self.models[name] = Adapted(head.to(device).eval(), mix)
        self.colours = None if facts.colour is None else Colours.of(self.network, **facts.colour)
        self.side = self.network.input.decoded_side
        self._transform = inference_transform(self.network.input)
        self.turn = nullcontext() if device.type == "cpu" else Lock()

    def __call__(
        self, pictures: Sequence[Image.Image], category: str | None = None, attribute: str | None = None
    ) -> Embedded:
        """Embed RGB `pictures` as photos, of things of this category, or as to this attribute.

        Networks that want to be told either are told it.
        """
        return self.embed(pictures, [category or ""] * len(pictures), [Domain.CONSUMER] * len(pictures), attribute)

    def inputs(
        self, pictures: Sequence[Image.Image], categories: Sequence[str], attribute: str | None = None
    ) -> Inputs:
        """What the network takes of RGB `pictures` of things of these categories, on the CPU."""
        images = torch.stack([self._transform(picture) for picture in pictures])
        told = self.conditions(categories, attribute)
        return images if told is None else Conditioned(images, told)

    def conditions(self, categories: Sequence[str], attribute: str | None = None) -> torch.Tensor | None:
        """What the network is told of things of these categories (N,) int64; None: nothing."""
        table = pd.DataFrame({CATEGORY: list(categories)})
        told = self.network.conditions(table if attribute is None else table.assign(**{ATTRIBUTE: attribute}))
        return None if told is None else torch.from_numpy(told)

    @torch.inference_mode()
    def embed(
        self,
        pictures: Sequence[Image.Image],
        categories: Sequence[str],
        domains: Sequence[str],
        attribute: str | None = None,
    ) -> Embedded:
        """Embed RGB `pictures` of things of these categories and domains, as to this attribute."""
        inputs = self.inputs(pictures, categories, attribute)
        with self.turn:
            inputs = to_device(inputs, self.device)
            if self.colours is None:
                pooled, colour = self.network.pool(inputs), None
            else:
                pooled, colour = self.colours.pool(inputs)
                colour = colour.cpu().numpy()
            codes = torch.from_numpy(domain_codes(domains)).to(self.device)
            return Embedded(
                {name: model.head(pooled, codes).cpu().numpy() for name, model in self.models.items()}, colour
            )

    @torch.inference_mode()
    def attention(self, picture: Image.Image, category: str | None, attribute: str) -> Attention | None:
        """Where the network looks in an RGB picture for an attribute; None of one that does not tell."""
        if not hasattr(self.network, "attention"):
            return None
        inputs = self.inputs([picture], [category or ""], attribute)
        with self.turn:
            (weights,), (box,) = self.network.attention(to_device(inputs, self.device))
            seen = Image.fromarray(framed(self.network.input)(picture))
            return Attention(seen, weights.float().cpu().numpy(), tuple(box.tolist()))


def _check_mark(model: Model) -> None:
    mark = model_mark(Path(model.folder))
    if mark != model.mark:
        raise UserError(f"an index of model {model.mark}, where {model.folder} holds model {mark}; {MEND}")
