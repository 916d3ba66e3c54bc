"""Layers to pixels."""

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from pipeline.datasets.atelier.cloth.fabric import tint
from pipeline.datasets.atelier.curves import Points
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Garment, Layer, Stroke

SEAM = 0.62  # brightness of the line around a piece of cloth


@dataclass(frozen=True)
class View:
    """The square that a picture shows: its centre and half-side in body units."""

    centre: tuple[float, float]
    reach: float

    @classmethod
    def of(cls, garment: Garment, size: float) -> "View":
        """The view in whose frame the garment takes the share `size` of the longer side."""
        x0, y0, x1, y1 = garment.bounds()
        return cls(((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0) / 2 / size)

    def wider(self, factor: float) -> "View":
        """The same centre, `factor` times the side."""
        return replace(self, reach=self.reach * factor)

    def moved(self, x: float, y: float) -> "View":
        """Further right and down, in shares of the half-side."""
        return replace(self, centre=(self.centre[0] + x * self.reach, self.centre[1] + y * self.reach))


def draw(rng: np.random.Generator, layers: list[Layer], view: View, *, side: int, folds: float) -> Image.Image:
    """The layers, RGBA of `side` pixels, lit from above; `folds` is the depth of creases in cloth."""
    angle = rng.uniform(0.7, 2.4)
    canvas = Canvas(view, creases(rng, side, folds), (-math.cos(angle), math.sin(angle)))
    canvas.draw(layers)
    return canvas.image()


class Canvas:
    """A transparent picture of what `view` shows.

    `folds` (side, side) float32 is the brightness that creases give to cloth, `light` (x, y) where the light falls.
    """

    def __init__(self, view: View, folds: np.ndarray, light: tuple[float, float]) -> None:
        self.side = len(folds)
        self.scale = self.side / (2 * view.reach)
        self.centre = np.array(view.centre)
        self.folds = folds
        self.light = light
        self._colours = Image.new("RGB", (self.side, self.side))
        self._alpha = Image.new("L", (self.side, self.side))

    def image(self) -> Image.Image:
        """What was drawn so far, RGBA."""
        picture = self._colours.copy()
        picture.putalpha(self._alpha)
        return picture

    def draw(self, layers: list[Layer]) -> None:
        """Add layers from back to front."""
        for layer in layers:
            match layer:
                case Cloth():
                    self._cloth(layer)
                case Flat():
                    self._flat(layer)
                case Stroke():
                    self._stroke(layer)

    def pixels(self, points: Points) -> np.ndarray:
        """Body units to pixels."""
        return (points - self.centre) * self.scale + self.side / 2

    def _cloth(self, layer: Cloth) -> None:
        points = self.pixels(layer.outline)
        soft = 0.035 * self.side
        margin = int(2 * soft) + 1
        x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - margin, 0)
        x1, y1 = np.minimum(np.ceil(points.max(axis=0)).astype(int) + margin, self.side)
        if x1 - x0 < 3 or y1 - y0 < 3:
            return
        mask = Image.new("L", (int(x1 - x0), int(y1 - y0)))
        ImageDraw.Draw(mask).polygon([tuple(p) for p in points - (x0, y0)], fill=255)
        x, y = np.meshgrid(np.arange(x0, x1, dtype=np.float32) + 0.5, np.arange(y0, y1, dtype=np.float32) + 0.5)
        x = (x - self.side / 2) / self.scale + np.float32(self.centre[0])
        y = (y - self.side / 2) / self.scale + np.float32(self.centre[1])
        shade = self._volume(mask, soft, layer.volume) * self.folds[y0:y1, x0:x1] * layer.light
        if layer.pleats:
            shade *= _pleats(x, y - layer.apex, layer.pleats)
        cloth = np.clip(layer.fabric.colour_at(x, y, layer.grain) * shade[..., None], 0, 255).astype(np.uint8)
        self._colours.paste(Image.fromarray(cloth), (int(x0), int(y0)), mask)
        self._cover(mask, (int(x0), int(y0)))
        seam = tint(layer.fabric.ground, SEAM * layer.light)
        self._line(np.concatenate([points, points[:1]]), (*seam, 150), max(1, round(0.006 * self.side)))

    def _volume(self, mask: Image.Image, soft: float, amount: float) -> np.ndarray:
        """Brightness of something full and soft: darker towards its edges, lighter on the side of the light."""
        height = np.asarray(mask.filter(ImageFilter.GaussianBlur(soft)), dtype=np.float32) / 255
        slope_y, slope_x = np.gradient(height)
        facing = (slope_x * self.light[0] + slope_y * self.light[1]) * soft
        return 1 + amount * (0.34 * (np.clip(height, 0.5, 1) - 0.95) - 0.32 * facing)

    def _flat(self, layer: Flat) -> None:
        points = [tuple(p) for p in self.pixels(layer.outline)]
        ImageDraw.Draw(self._colours, "RGBA").polygon(points, fill=(*layer.colour, round(255 * layer.opacity)))
        if layer.opacity == 1:
            ImageDraw.Draw(self._alpha).polygon(points, fill=255)

    def _stroke(self, layer: Stroke) -> None:
        points = self.pixels(layer.points)
        width = max(1, round(layer.width * self.scale))
        pieces = _dashes(points, layer.dash * self.scale) if layer.dash else [points]
        for piece in pieces:
            self._line(piece, (*layer.colour, round(255 * layer.opacity)), width)
            if layer.opacity == 1:
                ImageDraw.Draw(self._alpha).line([tuple(p) for p in piece], fill=255, width=width, joint="curve")

    def _line(self, points: np.ndarray, colour: tuple[int, ...], width: int) -> None:
        pen = ImageDraw.Draw(self._colours, "RGBA")
        pen.line([tuple(p) for p in points], fill=colour, width=width, joint="curve")

    def _cover(self, mask: Image.Image, corner: tuple[int, int]) -> None:
        box = (*corner, corner[0] + mask.width, corner[1] + mask.height)
        self._alpha.paste(ImageChops.lighter(self._alpha.crop(box), mask), corner)


def creases(rng: np.random.Generator, side: int, strength: float) -> np.ndarray:
    """Brightness (side, side) float32 around 1 of soft creases that run mostly downwards."""
    noise = np.zeros((side, side), np.float32)
    for rows, columns, share in ((3, 6, 0.6), (6, 14, 0.4)):
        grid = rng.normal(0, 1, (rows, columns)).astype(np.float32)
        noise += share * np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC))
    return np.clip(1 + strength * noise, 0.5, 1.3)


def _pleats(x: np.ndarray, y: np.ndarray, count: float) -> np.ndarray:
    """Brightness of sharp folds fanning out from the origin."""
    turn = np.arctan2(x, np.maximum(y, 0.05)) / (np.pi / 2) * count
    return 1.06 - 0.26 * (turn % 1.0)


def _dashes(points: np.ndarray, length: float) -> list[np.ndarray]:
    """`points` cut into stitches of `length` pixels with gaps as long."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    starts = np.arange(0, along[-1], 2 * max(length, 1.0))
    ends = np.stack([starts, np.minimum(starts + length, along[-1])], axis=1)
    return list(np.stack([np.interp(ends, along, points[:, axis]) for axis in (0, 1)], axis=-1))
