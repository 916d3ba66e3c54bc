"""From a drawing of twice the size to a photograph: distortion, shadow, light, focus, noise, JPEG."""

import io
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from pipeline.datasets.atelier.styles import Camera

MESH = 6  # cells across
SHADE = (18, 16, 24)


def distort(picture: Image.Image, side: int, place: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    """`side` pixels of `picture`; `place` maps points (N, 2) of the frame, in -1..1, to points of the picture."""
    edges = np.linspace(0, side, MESH + 1).round().astype(int)
    x, y = np.meshgrid(edges, edges)
    corners = np.stack([x.ravel(), y.ravel()], axis=1) / (side / 2) - 1
    found = ((place(corners) + 1) * (picture.width / 2)).reshape(MESH + 1, MESH + 1, 2)
    mesh = []
    for i in range(MESH):
        for j in range(MESH):
            quad = (found[i, j], found[i + 1, j], found[i + 1, j + 1], found[i, j + 1])
            box = (int(edges[j]), int(edges[i]), int(edges[j + 1]), int(edges[i + 1]))
            mesh.append((box, tuple(float(v) for point in quad for v in point)))
    return picture.transform((side, side), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def hand_held(rng: np.random.Generator, camera: Camera, turn: float) -> Callable[[np.ndarray], np.ndarray]:
    """The place map of a hand-held camera: turned, shifted, tilted, the cloth pulled here and there."""
    shift = rng.uniform(-camera.shift, camera.shift, 2)
    tilt, shear = rng.uniform(-0.12, 0.12, 2), rng.uniform(-0.1, 0.1)
    waves = camera.warp * rng.uniform(0.3, 1.0, 2)
    phases, rates = rng.uniform(0, 2 * np.pi, 2), rng.uniform(1.5, 3.5, 2)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) @ np.array([[1, shear], [0, 1]])

    def place(points: np.ndarray) -> np.ndarray:
        found = (points - shift) @ matrix.T
        found = found / (1 + found @ tilt)[:, None]
        return found + waves * np.sin(rates * found[:, ::-1] + phases)

    return place


def lay(picture: Image.Image, ground: Image.Image, *, drop: Sequence[float], soft: float, depth: float) -> Image.Image:
    """`picture` (RGBA) on `ground` (RGB) with the shadow it casts; `drop` and `soft` in pixels."""
    shadow = picture.getchannel("A").filter(ImageFilter.GaussianBlur(soft)).point(lambda value: round(value * depth))
    result = ground.copy()
    x, y = (round(value) for value in drop)
    result.paste(SHADE, (x, y, x + shadow.width, y + shadow.height), shadow)
    result.paste(picture, (0, 0), picture)
    return result


class Picture(NamedTuple):
    """A finished picture, and attributes that it shows, by name."""

    jpeg: bytes
    told: dict[str, str]


def develop(picture: Image.Image, rng: np.random.Generator, camera: Camera) -> bytes:
    """The finished JPEG of half the size of `picture`."""
    small = picture.reduce(2)
    side = small.width
    scale = side / 96
    blur = rng.uniform(*camera.blur) * scale
    if blur > 0.15:
        small = small.filter(ImageFilter.GaussianBlur(blur))
    light = np.asarray(small, dtype=np.float32) * _light(rng, camera, side)
    light += rng.uniform(*camera.noise) * rng.standard_normal((side, side, 1), dtype=np.float32)
    quality = int(rng.integers(camera.quality[0], camera.quality[1] + 1))
    file = io.BytesIO()
    Image.fromarray(np.clip(light, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _light(rng: np.random.Generator, camera: Camera, side: int) -> np.ndarray:
    """Factors (side, side, 3): exposure, warmth, a soft fall-off and sometimes the hard edge of a shadow."""
    warmth, exposure = rng.uniform(*camera.warmth), rng.uniform(*camera.exposure)
    depth, angle, edge = rng.uniform(*camera.shadow), rng.uniform(0, 2 * np.pi), rng.uniform(-0.6, 0.6)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    across = math.cos(angle) * axis[None] + math.sin(angle) * axis[:, None]
    hard = rng.random() < 0.3
    fall = 1 / (1 + np.exp(-(across - edge) * 14)) if hard else (across + 1.4) / 2.8
    colour = (1 + exposure) * np.array([1 + warmth, 1.0, 1 - warmth])
    return ((1 - depth * np.clip(fall, 0, 1))[..., None] * colour).astype(np.float32)
