"""What a silhouette is drawn from: the item's own measures and cloth, and the pose of the moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from pipeline.datasets.atelier.attributes import IN_FRONT, PATTERN, PATTERN_OF
from pipeline.datasets.atelier.cloth.fabric import Colour, Materials, brightness, tint
from pipeline.datasets.atelier.curves import Points
from pipeline.datasets.atelier.scene.layers import Layer, Stroke

T = TypeVar("T")


@dataclass(frozen=True)
class Pose:
    """How a garment lies or is worn; angles in radians, pairs are (right, left) of the picture.

    `arms` away from the body, `elbows` and `knees` bend, `legs` apart, `back` seen from behind.
    """

    arms: tuple[float, float] = (0.5, 0.5)
    elbows: tuple[float, float] = (-0.1, -0.1)
    legs: tuple[float, float] = (0.06, 0.06)
    back: bool = False


@dataclass(frozen=True)
class Proportions:
    """How one shop cuts its clothes: factor on widths, exponent on lengths (below 1: longer), share of extras."""

    ease: float
    length: float
    extras: float


class Tailor:
    """Measures of one item, drawn from its own `rng` in the order asked for, and what it is made of.

    A silhouette takes all its measures whatever the pose, so that every picture of an item shows the same item.
    """

    def __init__(self, rng: np.random.Generator, proportions: Proportions, materials: Materials, pose: Pose) -> None:
        self._rng = rng
        self._proportions = proportions
        self.cloth = materials.cloth
        self.accent = materials.accent
        self.detail = materials.trim
        self.pose = pose
        self._told = {PATTERN: PATTERN_OF[self.cloth.pattern]}

    def tell(self, **values: str) -> None:
        """Say attributes of the item, by their names in `attributes`; what is said last counts."""
        self._told |= values

    @property
    def told(self) -> dict[str, str]:
        """Attribute -> value, of what the pose shows."""
        return {name: value for name, value in self._told.items() if not (self.pose.back and name in IN_FRONT)}

    @property
    def thread(self) -> Colour:
        """Colour of seams that shows on the cloth."""
        return tint(self.cloth.ground, 0.66 if brightness(self.cloth.ground) > 0.22 else 1.35)

    def weave(self, name: str) -> None:
        """Have the cloth woven so."""
        self.cloth, self.accent = replace(self.cloth, weave=name), replace(self.accent, weave=name)

    def number(self, low: float, high: float) -> float:
        """A measure that the shop's taste does not move."""
        return low + (high - low) * float(self._rng.random())

    def width(self, low: float, high: float) -> float:
        """A half-width."""
        return self.number(low, high) * self._proportions.ease

    def length(self, low: float, high: float) -> float:
        """A length, or how far down something reaches."""
        return low + (high - low) * float(self._rng.random()) ** self._proportions.length

    def chance(self, share: float) -> bool:
        """True for this share of the items."""
        return bool(self._rng.random() < share * self._proportions.extras)

    def choose(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[int(self._rng.integers(len(options)))]

    def facing(self, *layers: Layer) -> list[Layer]:
        """Layers that only the front of the garment shows."""
        return [] if self.pose.back else list(layers)

    def seam(self, points: Points, width: float = 0.014, *, dash: float = 0.0, opacity: float = 0.8) -> Stroke:
        """A seam of the cloth along `points`."""
        return Stroke(points, self.thread, width, dash, opacity)
