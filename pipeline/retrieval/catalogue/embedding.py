"""Pictures of a catalogue as the models of an index see them: by way of views, where a model wants them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pipeline.arrays.blocks import slices
from pipeline.base.errors import UserError
from pipeline.base.names import Domain
from pipeline.features.viewing import pool_views
from pipeline.features.views import read_studio
from pipeline.images.loading import Conditioned, to_device
from pipeline.images.transforms import framed
from pipeline.models.folder import Adapted
from pipeline.retrieval.embedding import Embedded, QueryEmbedder
from pipeline.retrieval.index.folder import MEND, Facts
from pipeline.table.domains import CODES

VIEWS_AT_ONCE = 128


class CatalogueEmbedder(QueryEmbedder):
    """The networks of an index, for pictures that come into it."""

    def __init__(self, facts: Facts, device: torch.device) -> None:
        """Load them. Raises UserError as for queries, and where what views are drawn from is gone."""
        super().__init__(facts, device)
        self.studio, self.seed = None, 0
        if any(model.mix is not None for model in self.models.values()):
            if facts.views is None:
                raise UserError(f"an index that does not say where its views are from; {MEND}")
            self.studio, self.seed = read_studio(Path(facts.views))

    def add(
        self,
        pictures: Sequence[Image.Image],
        *,
        categories: Sequence[str],
        domains: Sequence[str],
        digests: Sequence[str],
        attribute: str | None = None,
    ) -> Embedded:
        """Embed RGB `pictures` of these categories and domains as the chain does; `digests` tell their files.

        `attribute`: what the network is asked for, where it is. Nothing mixes views into that.
        """
        embedded = self.embed(pictures, categories, domains, attribute)
        shop = [place for place, domain in enumerate(domains) if domain == Domain.SHOP]
        for name, model in self.models.items():
            if model.mix is not None and shop:
                means = np.stack([self._mean(pictures[at], categories[at], digests[at], model) for at in shop])
                embedded.vectors[name][shop] = model.mix.blend(embedded.vectors[name][shop], means)
        return embedded

    @torch.inference_mode()
    def _mean(self, picture: Image.Image, category: str, digest: str, model: Adapted) -> np.ndarray:
        """Mean embedding (D,) of the views of a picture."""
        pixels = framed(self.network.input)(picture)
        views = np.stack(list(self.studio.views(pixels, model.mix.counts, seed=self.seed, known=digest)))
        told = self.conditions([category])
        total = 0.0
        for part in slices(len(views), VIEWS_AT_ONCE):
            some = torch.from_numpy(views[part])[None]
            inputs = some if told is None else Conditioned(some, told.expand(1, some.shape[1]))
            with self.turn:
                rows = pool_views(self.network, to_device(inputs, self.device), self.network.input)
                rows = rows.reshape(some.shape[1], -1)
                codes = torch.full((len(rows),), CODES[Domain.SHOP], device=self.device)
                total = total + model.head(rows, codes).sum(dim=0).cpu().numpy()
        return total / len(views)
