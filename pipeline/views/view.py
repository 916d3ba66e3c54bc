"""Views of a catalogue picture: the garment, cut off its ground, on another one, in another light."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.views.cut import garment
from pipeline.views.geometry import Geometry, warp
from pipeline.views.ground import border_strip, own_ground
from pipeline.views.light import Camera, Light

OPAQUE = 255
# On the border of a photo of the street, on the own ground, and the picture as it is, a little closer.
STREET, OWN_GROUND, AUGMENT = KINDS = ("street", "own_ground", "augment")
CLOSER = Geometry(turn=0.0, scale=(1.0, 1.15), corners=0.0)


@dataclass(frozen=True)
class Studio:
    """How views are drawn: by deviations of geometry, light and camera.

    `photos`: what grounds of the street are taken from, (S, S, 3) uint8 each; consumer pictures of the source.
    """

    photos: Sequence[np.ndarray]
    geometry: Geometry = field(default_factory=Geometry)
    light: Light = field(default_factory=Light)
    camera: Camera = field(default_factory=Camera)

    def views(
        self, picture: np.ndarray, counts: Mapping[str, int], *, seed: int, known: str, own: Sequence[int] = ()
    ) -> Iterator[np.ndarray]:
        """`counts[kind]` views of each kind of a picture (S, S, 3) uint8, each of the same shape.

        `known`: what tells the picture (hexadecimal, its digest). What is drawn hangs on it, on `seed`, and on kind and
        number of the view: however many are drawn, by whom and in which order, it is the same, given the same photos.
        `own`: places of photos that show its own garment, as none of a new shop does; no ground is taken from them,
        unless all are such.
        """
        streets = np.setdiff1d(np.arange(len(self.photos)), own)
        streets = streets if len(streets) else np.arange(len(self.photos))
        cut = garment(picture) if any(counts.get(kind) for kind in (STREET, OWN_GROUND)) else None
        for kind, count in counts.items():
            shown = np.ones(picture.shape[:2], dtype=bool) if kind == AUGMENT else cut
            layer = np.dstack([picture, np.where(shown, OPAQUE, 0).astype(np.uint8)])
            for view in range(count):
                rng = np.random.default_rng([seed, int(known, 16), KINDS.index(kind), view])
                yield self._view(layer, kind, streets, rng)

    def _view(self, layer: np.ndarray, kind: str, streets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if kind == STREET:
            ground = border_strip(self.photos[streets[rng.integers(len(streets))]], rng)
        else:
            ground = own_ground(layer[..., :3])
        geometry = CLOSER if kind == AUGMENT else self.geometry
        lit = self.light.fall(_laid_on(ground, warp(layer, geometry.draw(rng))), rng)
        return lit if kind == AUGMENT else self.camera.take(lit, rng)


def _laid_on(ground: np.ndarray, layer: np.ndarray) -> np.ndarray:
    """A layer (S, S, 4) uint8 of colours and opacity over a ground (S, S, 3) uint8: (S, S, 3) uint8."""
    opacity = layer[..., 3:].astype(np.float32) / OPAQUE
    return np.rint(ground + (layer[..., :3] - ground.astype(np.float32)) * opacity).astype(np.uint8)
