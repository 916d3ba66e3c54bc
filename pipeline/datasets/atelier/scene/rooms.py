# ruff: noqa: ARG001 - all rooms are called alike
"""What somebody stands in front of: rooms, streets and parks."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipeline.datasets.atelier.cloth.fabric import Colour, mix, tint
from pipeline.datasets.atelier.scene.floors import WALLS, WOODS, Scene, grain, pick, shaded, tiles


def _wall(
    rng: np.random.Generator, side: int, base: Colour, floor: Colour, horizon: float
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A wall and a floor that meet at `horizon` (share of the height)."""
    light = 1 + 0.05 * grain(rng, side, (3, 3))
    picture = shaded(base, light)
    draw = ImageDraw.Draw(picture, "RGBA")
    y = horizon * side
    draw.rectangle((0, y, side, side), fill=floor)
    draw.rectangle((0, y - side * 0.025, side, y), fill=tint(base, 1.25))
    return picture, draw


def _box(draw: ImageDraw.ImageDraw, side: int, box: tuple[float, float, float, float], hue: Colour) -> None:
    """A block given in shares of the side, with a lighter top edge."""
    x0, y0, x1, y1 = (side * value for value in box)
    draw.rectangle((x0, y0, x1, y1), fill=hue, outline=tint(hue, 0.75), width=2)
    draw.rectangle((x0, y0, x1, y0 + 0.02 * side), fill=tint(hue, 1.3))


def _bedroom(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    horizon = rng.uniform(0.68, 0.85)
    picture, draw = _wall(rng, side, pick(rng, WALLS), pick(rng, WOODS), horizon)
    x = rng.choice([-0.1, 0.6])
    _box(draw, side, (x, horizon - 0.25, x + 0.5, horizon + 0.15), pick(rng, palette))
    _box(draw, side, (x + 0.05, horizon - 0.33, x + 0.25, horizon - 0.22), (236, 232, 226))
    for _ in range(int(rng.integers(1, 4))):
        left, top, width = rng.uniform(0, 0.8), rng.uniform(0.02, 0.3), rng.uniform(0.1, 0.22)
        _box(draw, side, (left, top, left + width, top + width * 1.2), pick(rng, palette))
    return picture


def _mirror(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    picture, draw = _wall(rng, side, pick(rng, WALLS), pick(rng, WOODS), rng.uniform(0.75, 0.9))
    left = rng.uniform(0.02, 0.5)
    _box(draw, side, (left, 0.05, left + 0.4, 0.86), pick(rng, WOODS))
    draw.ellipse([side * v for v in (left + 0.33, 0.45, left + 0.37, 0.49)], fill=(200, 180, 120))
    frame, edge = pick(rng, palette), side * rng.uniform(0.03, 0.08)
    draw.rectangle((0, 0, side, side), outline=frame, width=round(edge))
    return picture


def _kitchen(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    picture = tiles(rng, side, palette)
    draw, hue, counter = ImageDraw.Draw(picture, "RGBA"), pick(rng, palette), rng.uniform(0.5, 0.65)
    for k in range(4):
        _box(draw, side, (0.27 * k - 0.05, counter + 0.05, 0.27 * k + 0.2, 1.0), hue)
        if rng.random() < 0.6:
            _box(draw, side, (0.27 * k - 0.05, -0.05, 0.27 * k + 0.2, 0.22), hue)
    draw.rectangle((0, side * counter, side, side * (counter + 0.05)), fill=pick(rng, WOODS))
    return picture


def _street(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    sky = mix((190, 208, 222), (226, 222, 212), float(rng.random()))
    picture = Image.new("RGB", (side, side), sky)
    draw, x = ImageDraw.Draw(picture, "RGBA"), -0.1
    while x < 1:
        width, top = rng.uniform(0.2, 0.4), rng.uniform(0.0, 0.3)
        hue = mix(pick(rng, palette), (150, 146, 140), 0.55)
        _box(draw, side, (x, top, x + width, 0.82), hue)
        for row in np.arange(top + 0.06, 0.66, 0.14):
            for column in np.arange(x + 0.04, x + width - 0.07, 0.11):
                draw.rectangle(
                    [side * v for v in (column, row, column + 0.06, row + 0.08)],
                    fill=(*tint(hue, rng.choice([0.5, 1.6])), 220),
                )
        x += width
    ground = mix((130, 130, 130), pick(rng, WALLS), 0.3)
    draw.polygon([(0, side * 0.8), (side, side * 0.76), (side, side), (0, side)], fill=ground)
    draw.line([(0, side * 0.88), (side, side * 0.82)], fill=tint(ground, 1.5), width=max(2, side // 60))
    return picture


def _park(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    picture = Image.new("RGB", (side, side), mix((196, 214, 224), (236, 226, 200), float(rng.random())))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(26):
        x, y, r = rng.uniform(-0.1, 1.1), rng.uniform(0.0, 0.5), rng.uniform(0.08, 0.2)
        green = tint(mix((70, 110, 60), (160, 140, 60), float(rng.random())), rng.uniform(0.6, 1.2))
        draw.ellipse([side * v for v in (x - r, y - r, x + r, y + r)], fill=green)
    for x in rng.uniform(0, 1, 3):
        draw.rectangle([side * v for v in (x, 0.35, x + 0.04, 0.75)], fill=(84, 62, 46))
    draw.rectangle((0, side * 0.66, side, side), fill=(112, 140, 76))
    draw.polygon(
        [(side * v, side * h) for v, h in ((0.35, 0.66), (0.6, 0.66), (1.1, 1.0), (-0.2, 1.0))], fill=(186, 172, 148)
    )
    return picture


def _bricks(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base = mix((156, 84, 62), pick(rng, palette), float(rng.uniform(0, 0.5)))
    rows = int(rng.integers(11, 17))
    picture = Image.new("RGB", (side, side), mix(base, (200, 196, 188), 0.6))
    draw, h = ImageDraw.Draw(picture), side / rows
    for row in range(rows):
        for column in range(-1, rows // 2 + 1):
            x = (column + 0.5 * (row % 2)) * 2.2 * h
            draw.rectangle((x, row * h, x + 2.0 * h, row * h + 0.82 * h), fill=tint(base, rng.uniform(0.8, 1.2)))
    draw.rectangle((0, side * 0.86, side, side), fill=(126, 124, 122))
    return picture


def _cafe(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    picture, draw = _wall(rng, side, tint(pick(rng, WOODS), 0.6), pick(rng, WOODS), 0.82)
    for _ in range(3):
        x, y = rng.uniform(-0.1, 0.8), rng.uniform(0.35, 0.6)
        _box(draw, side, (x, y, x + 0.3, 0.9), tint(pick(rng, palette), 0.8))
    for _ in range(12):
        x, y, r = rng.uniform(0, 1), rng.uniform(0, 0.5), rng.uniform(0.02, 0.06)
        draw.ellipse([side * v for v in (x - r, y - r, x + r, y + r)], fill=(255, 226, 160, int(rng.integers(60, 170))))
    return picture.filter(ImageFilter.GaussianBlur(side / 90))


ROOMS: dict[str, Scene] = {
    "bedroom": _bedroom, "mirror": _mirror, "kitchen": _kitchen, "street": _street, "park": _park, "bricks": _bricks,
    "cafe": _cafe,
}  # fmt: skip
