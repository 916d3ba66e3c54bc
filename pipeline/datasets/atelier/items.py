"""One product: everything that is the same in all its pictures."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.datasets.atelier.catalogue import SILHOUETTES, Silhouette
from pipeline.datasets.atelier.cloth.fabric import Materials
from pipeline.datasets.atelier.cloth.materials import choose_materials
from pipeline.datasets.atelier.garments.tailor import Pose, Tailor
from pipeline.datasets.atelier.scene.layers import Garment
from pipeline.datasets.atelier.styles import Style


@dataclass(frozen=True)
class Item:
    """A product of one shop. `seeds` alone decide its cloth and measures."""

    seeds: tuple[int, ...]
    silhouette: str
    style: Style

    @property
    def kind(self) -> Silhouette:
        return SILHOUETTES[self.silhouette]

    @cached_property
    def materials(self) -> Materials:
        """What it is made of."""
        rng = np.random.default_rng([*self.seeds, 0])
        return choose_materials(rng, self.style, self.kind.cloth, self.kind.top, self.kind.extent)

    def garment(self, pose: Pose) -> Garment:
        """The product in a pose."""
        rng = np.random.default_rng([*self.seeds, 1])
        tailor = Tailor(rng, self.style.proportions, self.materials, pose)
        return replace(self.kind.draw(tailor), told=tailor.told)
