"""The shop's view of an item: upright on a plain ground, sometimes on a hanger."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.datasets.atelier.attributes import LENGTH
from pipeline.datasets.atelier.canvas import View, draw
from pipeline.datasets.atelier.curves import ellipse, path
from pipeline.datasets.atelier.garments.tailor import Pose
from pipeline.datasets.atelier.items import Item
from pipeline.datasets.atelier.scene.camera import Picture, develop, lay
from pipeline.datasets.atelier.scene.layers import Layer, Stroke
from pipeline.datasets.atelier.styles import Backdrop

MARGIN = 1.1  # the drawing reaches beyond the frame, so that turning it leaves no empty corner
WOOD, STEEL = (168, 132, 92), (150, 152, 156)


@dataclass(frozen=True)
class Framing:
    """How much larger a picture shows the item, and how far up it looks, in halves of the item's longer side."""

    zoom: float = 1.0
    up: float = 0.0


FRONT, DETAIL = Framing(), Framing(zoom=1.45, up=0.25)


def shop_picture(item: Item, rng: np.random.Generator, side: int, *, first: bool) -> Picture:
    """`side` pixels wide and high. The `first` one shows the whole front; others may show the back or a detail."""
    style, camera = item.style, item.style.shop
    framing, back = FRONT, False
    if not first:
        framing, back = ((FRONT, False), (FRONT, True), (DETAIL, False))[rng.integers(3)]
    arms = rng.uniform(*style.arms)
    garment = item.garment(Pose(arms=(arms, arms), elbows=(-0.12, -0.12), back=back))
    if rng.random() < style.hanger:
        garment.behind[:0] = _hanger(item)
    view = View.of(garment, rng.uniform(*camera.size) * framing.zoom)
    view = view.moved(*rng.uniform(-camera.shift, camera.shift, 2) - (0, framing.up / framing.zoom))
    drawing = draw(rng, garment.behind + garment.front, view.wider(MARGIN), side=round(2 * side * MARGIN), folds=0.035)
    drawing = _middle(drawing.rotate(np.degrees(rng.uniform(*camera.turn)), Image.Resampling.BILINEAR), 2 * side)
    ground = _ground(rng, style.backdrops[rng.integers(len(style.backdrops))], 2 * side)
    picture = lay(drawing, ground, drop=(0.01 * side, 0.03 * side), soft=0.05 * side, depth=0.28)
    told = {name: value for name, value in garment.told.items() if framing is FRONT or name != LENGTH}
    return Picture(develop(picture, rng, camera), told)


def _middle(drawing: Image.Image, side: int) -> Image.Image:
    edge = (drawing.width - side) // 2
    return drawing.crop((edge, edge, edge + side, edge + side))


def _ground(rng: np.random.Generator, backdrop: Backdrop, side: int) -> Image.Image:
    top, bottom = (np.array(shade, np.float32) for shade in backdrop)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[:, None, None] ** rng.uniform(0.8, 2.5)
    return Image.fromarray(np.broadcast_to(top + (bottom - top) * ramp, (side, side, 3)).astype(np.uint8))


def _hanger(item: Item) -> list[Layer]:
    """What a garment hangs on, if it is of the kind that hangs."""
    match item.kind.place:
        case "upper" | "whole":
            bar = path((-0.4, 0.12), (-0.2, 0.0, 0, -0.06), (0.2, 0.0, 0.4, 0.12))
            return [*_hook(-0.06), Stroke(bar, WOOD, 0.06)]
        case "lower":
            clips = [Stroke(path((x, 0.84), (x, 0.98)), (90, 90, 94), 0.05) for x in (-0.2, 0.2)]
            return [*_hook(0.85), Stroke(path((-0.32, 0.85), (0.32, 0.85)), STEEL, 0.04), *clips]
        case _:
            return []


def _hook(y: float) -> list[Layer]:
    curl = ellipse((0, y - 0.19), 0.07, 0.07, 150, 400)
    return [Stroke(curl, STEEL, 0.025), Stroke(path((0, y - 0.13), (0, y)), STEEL, 0.025)]
