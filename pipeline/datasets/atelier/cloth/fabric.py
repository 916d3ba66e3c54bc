"""Colours and cloth."""

import math
from dataclasses import dataclass, replace

import numpy as np

from pipeline.datasets.atelier.cloth.patterns import GARMENT_WIDE, PATTERNS, WEAVES

Colour = tuple[int, int, int]


def colour(code: str) -> Colour:
    """`"#rrggbb"` as three numbers from 0 to 255."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def palette(codes: str) -> tuple[Colour, ...]:
    """Colours from `"#rrggbb #rrggbb ..."`."""
    return tuple(colour(code) for code in codes.split())


def tint(base: Colour, factor: float) -> Colour:
    """`base` darker (factor < 1) or closer to white (factor > 1)."""
    if factor <= 1:
        return tuple(round(c * factor) for c in base)
    return tuple(round(255 - (255 - c) / factor) for c in base)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of `other` in `one`."""
    return tuple(round(a + share * (b - a)) for a, b in zip(one, other, strict=True))


def brightness(base: Colour) -> float:
    """Perceived brightness, 0 to 1 (Rec. 601 weights)."""
    return (0.299 * base[0] + 0.587 * base[1] + 0.114 * base[2]) / 255


@dataclass(frozen=True)
class Fabric:
    """A cloth: `colours` (ground first), a pattern that repeats every `period` body units, a weave.

    Patterns laid over the whole garment (gradient, block, ...) run from `top` down over `extent` body units.
    """

    colours: tuple[Colour, ...]
    pattern: str = "plain"
    weave: str = "smooth"
    period: float = 0.15
    phase: float = 0.0
    top: float = 0.0
    extent: float = 1.5

    @property
    def ground(self) -> Colour:
        return self.colours[0]

    def plain(self) -> "Fabric":
        """The ground alone."""
        return replace(self, pattern="plain")

    def colour_at(self, x: np.ndarray, y: np.ndarray, grain: float = 0.0) -> np.ndarray:
        """Colours (..., 3) float32 at body coordinates x, y (...) of a piece cut at `grain` radians from upright."""
        u = math.cos(grain) * x - math.sin(grain) * y
        v = math.sin(grain) * x + math.cos(grain) * y
        if self.pattern in GARMENT_WIDE:
            weights = PATTERNS[self.pattern](x / self.extent, (y - self.top) / self.extent, self.phase)
        else:
            weights = PATTERNS[self.pattern](u / self.period, v / self.period + self.phase, self.phase)
        cloth = np.empty((*x.shape, 3), np.float32)
        cloth[...] = self.colours[0]
        for weight, layer in zip(weights, self.colours[1:], strict=False):
            cloth += weight[..., None].astype(np.float32) * (np.array(layer, np.float32) - cloth)
        relief = WEAVES[self.weave]
        if relief is not None:
            cloth *= relief(u / self.extent, v / self.extent)[..., None]
        return cloth


@dataclass(frozen=True)
class Materials:
    """What an item is made of: main cloth, accent cloth, colour of buttons and other trims."""

    cloth: Fabric
    accent: Fabric
    trim: Colour
