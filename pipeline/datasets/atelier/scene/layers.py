"""What a drawing consists of: layers from back to front, in body units."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.datasets.atelier.cloth.fabric import Colour, Fabric
from pipeline.datasets.atelier.curves import Points


@dataclass(frozen=True)
class Cloth:
    """A piece of cloth: shaded like something soft and full, patterned along its grain.

    `grain`: radians from upright. `light`: factor on its brightness (below 1: an inner side).
    `pleats`: folds that fan out from the point (0, `apex`), this many in a quarter turn.
    """

    outline: Points
    fabric: Fabric
    grain: float = 0.0
    light: float = 1.0
    pleats: float = 0.0
    apex: float = 0.0
    volume: float = 1.0


@dataclass(frozen=True)
class Flat:
    """An evenly coloured shape."""

    outline: Points
    colour: Colour
    opacity: float = 1.0


@dataclass(frozen=True)
class Stroke:
    """A line `width` body units thick; with `dash`, stitches of that length."""

    points: Points
    colour: Colour
    width: float = 0.02
    dash: float = 0.0
    opacity: float = 1.0


Layer = Cloth | Flat | Stroke


@dataclass
class Garment:
    """Layers behind the body that wears it and in front; attributes that they show, by name."""

    behind: list[Layer] = field(default_factory=list)
    front: list[Layer] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    def bounds(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of all its layers."""
        layers = self.behind + self.front
        points = np.concatenate([each.points if isinstance(each, Stroke) else each.outline for each in layers])
        return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def placed(layers: Sequence[Layer], centre: tuple[float, float], size: float = 1.0, angle: float = 0.0) -> list[Layer]:
    """The layers turned by `angle` radians, `size` times as large, their origin moved to `centre`."""
    turn = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [
        replace(layer, points=layer.points @ turn + centre, width=layer.width * size)
        if isinstance(layer, Stroke)
        else replace(layer, outline=layer.outline @ turn + centre)
        for layer in layers
    ]
