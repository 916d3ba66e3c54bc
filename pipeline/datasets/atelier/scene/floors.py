# ruff: noqa: ARG001 - all floors are called alike
"""What a garment is laid on: floors, beds and blankets seen from above."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from pipeline.datasets.atelier.cloth.fabric import Colour, mix, tint

Scene = Callable[[np.random.Generator, int, Sequence[Colour]], Image.Image]
WOODS = ((186, 140, 92), (150, 104, 66), (206, 170, 124), (110, 76, 52), (170, 150, 128))
WALLS = ((226, 220, 208), (208, 214, 216), (196, 182, 164), (176, 190, 180), (214, 190, 178), (160, 170, 184))


def grain(rng: np.random.Generator, side: int, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise (side, side) float32 of about unit size, with so many cells down and across."""
    noise = rng.normal(0, 1, cells).astype(np.float32)
    return np.asarray(Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC))


def pick(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """One of the colours."""
    return tuple(colours[rng.integers(len(colours))])


def shaded(base: Colour, light: np.ndarray) -> Image.Image:
    """One colour under `light` (side, side)."""
    return Image.fromarray(np.clip(np.array(base, np.float32) * light[..., None], 0, 255).astype(np.uint8))


def _boards(rng: np.random.Generator, side: int, base: Colour, count: int) -> Image.Image:
    """Boards across the picture, each with its own tone and joint."""
    tones = 1 + 0.09 * rng.normal(size=(count, 3))
    row = np.minimum(np.arange(side) * count // side, count - 1)
    joint = rng.integers(side // 6, side, (count, 2))
    joint.sort(axis=1)
    third = (np.arange(side)[None] > joint[row, :1]).astype(int) + (np.arange(side)[None] > joint[row, 1:])
    light = tones[row[:, None], third] + 0.04 * grain(rng, side, (side // 3, 5))
    light[np.r_[False, np.diff(row) > 0]] *= 0.68
    return shaded(base, light.astype(np.float32))


def _turned(rng: np.random.Generator, side: int, draw: Callable[[int], Image.Image]) -> Image.Image:
    """A floor seen at any angle."""
    large = draw(int(side * 1.45))
    turned = large.rotate(float(rng.uniform(0, 180)), Image.Resampling.BILINEAR)
    edge = (turned.width - side) // 2
    return turned.crop((edge, edge, edge + side, edge + side))


def _parquet(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, count = pick(rng, WOODS), int(rng.integers(7, 12))
    return _turned(rng, side, lambda n: _boards(rng, n, base, count))


def _planks(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, count = mix(pick(rng, WOODS), (140, 140, 138), 0.55), int(rng.integers(5, 8))
    return _turned(rng, side, lambda n: _boards(rng, n, base, count))


def tiles(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    """Square tiles, plain or chequered."""
    base, cell = mix(pick(rng, WALLS), pick(rng, palette), 0.15), float(rng.uniform(0.16, 0.3)) * side
    chequered, other = rng.random() < 0.35, 1 - rng.uniform(0.15, 0.4)

    def draw(n: int) -> Image.Image:
        x = np.arange(n)
        tile = ((x // cell)[:, None] + (x // cell)[None]) % 2
        light = np.where(chequered & (tile > 0), other, 1.0) + 0.03 * grain(rng, n, (12, 12))
        gap = (x % cell) < max(2, 0.05 * cell)
        light[gap[:, None] | gap[None]] *= 0.78
        return shaded(base, light.astype(np.float32))

    return _turned(rng, side, draw)


def _bed(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base = mix(pick(rng, palette), (236, 234, 230), float(rng.uniform(0.4, 0.85)))
    folds = 0.07 * grain(rng, side, (5, 4)) + 0.05 * grain(rng, side, (9, 12))
    sheet = shaded(base, 1 + np.abs(folds) - 0.08)
    if rng.random() < 0.5:
        _stripe(sheet, rng, tint(base, 0.85), side)
    return sheet.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BILINEAR, fillcolor=tint(base, 0.9))


def _stripe(picture: Image.Image, rng: np.random.Generator, hue: Colour, side: int) -> None:
    draw, step = ImageDraw.Draw(picture, "RGBA"), int(rng.integers(side // 12, side // 6))
    for x in range(0, side, step):
        draw.rectangle((x, 0, x + step // 3, side), fill=(*hue, 140))


def _rug(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, second = pick(rng, palette), pick(rng, palette)
    picture = shaded(base, 1 + 0.07 * grain(rng, side, (side // 2, side // 3)))
    draw = ImageDraw.Draw(picture, "RGBA")
    for k in range(int(rng.integers(1, 4))):
        inset = side * (0.05 + 0.11 * k)
        draw.rectangle((inset, inset, side - inset, side - inset), outline=(*second, 200), width=max(2, side // 40))
    return picture.rotate(float(rng.uniform(-30, 30)), Image.Resampling.BILINEAR, fillcolor=pick(rng, WOODS))


def _blanket(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, second = mix(pick(rng, palette), (200, 196, 188), 0.3), pick(rng, palette)
    picture = shaded(base, 1 + 0.06 * grain(rng, side, (8, 8)) + 0.04 * grain(rng, side, (side // 2, side // 3)))
    draw, step = ImageDraw.Draw(picture, "RGBA"), int(rng.uniform(0.14, 0.3) * side)
    for x in range(0, side, step):
        draw.rectangle((x, 0, x + step // 2, side), fill=(*second, 80))
        draw.rectangle((0, x, side, x + step // 2), fill=(*second, 80))
    return picture.rotate(float(rng.uniform(-30, 30)), Image.Resampling.BILINEAR, fillcolor=base)


def _concrete(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base = mix(pick(rng, WALLS), (128, 128, 126), 0.65)
    light = 1 + 0.07 * grain(rng, side, (6, 6)) + 0.03 * grain(rng, side, (side // 2, side // 2))
    picture = shaded(base, light)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 3))):
        a, b = rng.uniform(0, side, 2)
        draw.line(
            (0, a, side, b) if rng.random() < 0.5 else (a, 0, b, side), fill=tint(base, 0.66), width=max(2, side // 60)
        )
    return picture


def _grass(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base = mix((96, 132, 62), (150, 140, 80), float(rng.uniform(0, 0.6)))
    light = 1 + 0.12 * grain(rng, side, (7, 7)) + 0.14 * grain(rng, side, (side // 5, side // 2))
    return shaded(base, light)


FLOORS: dict[str, Scene] = {
    "parquet": _parquet, "planks": _planks, "tiles": tiles, "bed": _bed, "rug": _rug, "blanket": _blanket,
    "concrete": _concrete, "grass": _grass,
}  # fmt: skip
