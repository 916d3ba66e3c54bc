"""Backgrounds of consumer pictures: floors seen from above and rooms or streets seen from the front."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipeline.atelier.fabric import Colour, mix, tint

Scene = Callable[[np.random.Generator, int, Sequence[Colour]], Image.Image]
WOODS = ((186, 140, 92), (150, 104, 66), (206, 170, 124), (110, 76, 52), (170, 150, 128))
WALLS = ((226, 220, 208), (208, 214, 216), (196, 182, 164), (176, 190, 180), (214, 190, 178), (160, 170, 184))


def scene(rng: np.random.Generator, name: str, side: int, palette: Sequence[Colour]) -> Image.Image:
    """The scene `name`, RGB of `side` pixels."""
    return SCENES[name](rng, side, palette)


def grain(rng: np.random.Generator, side: int, cells: tuple[int, int]) -> np.ndarray:
    """Smooth noise (side, side) float32 of about unit size, with so many cells down and across."""
    noise = rng.normal(0, 1, cells).astype(np.float32)
    return np.asarray(Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC))


def _pick(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    return tuple(colours[rng.integers(len(colours))])


def _shaded(base: Colour, light: np.ndarray) -> Image.Image:
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
    return _shaded(base, light.astype(np.float32))


def _turned(rng: np.random.Generator, side: int, draw: Callable[[int], Image.Image]) -> Image.Image:
    """A floor seen at any angle."""
    large = draw(int(side * 1.45))
    turned = large.rotate(float(rng.uniform(0, 180)), Image.Resampling.BILINEAR)
    edge = (turned.width - side) // 2
    return turned.crop((edge, edge, edge + side, edge + side))


def _parquet(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:  # noqa: ARG001
    base, count = _pick(rng, WOODS), int(rng.integers(7, 12))
    return _turned(rng, side, lambda n: _boards(rng, n, base, count))


def _planks(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:  # noqa: ARG001
    base, count = mix(_pick(rng, WOODS), (140, 140, 138), 0.55), int(rng.integers(5, 8))
    return _turned(rng, side, lambda n: _boards(rng, n, base, count))


def _tiles(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, cell = mix(_pick(rng, WALLS), _pick(rng, palette), 0.15), float(rng.uniform(0.16, 0.3)) * side
    chequered, other = rng.random() < 0.35, 1 - rng.uniform(0.15, 0.4)

    def draw(n: int) -> Image.Image:
        x = np.arange(n)
        tile = ((x // cell)[:, None] + (x // cell)[None]) % 2
        light = np.where(chequered & (tile > 0), other, 1.0) + 0.03 * grain(rng, n, (12, 12))
        gap = (x % cell) < max(2, 0.05 * cell)
        light[gap[:, None] | gap[None]] *= 0.78
        return _shaded(base, light.astype(np.float32))

    return _turned(rng, side, draw)


def _bed(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base = mix(_pick(rng, palette), (236, 234, 230), float(rng.uniform(0.4, 0.85)))
    folds = 0.07 * grain(rng, side, (5, 4)) + 0.05 * grain(rng, side, (9, 12))
    sheet = _shaded(base, 1 + np.abs(folds) - 0.08)
    if rng.random() < 0.5:
        _stripe(sheet, rng, tint(base, 0.85), side)
    return sheet.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BILINEAR, fillcolor=tint(base, 0.9))


def _stripe(picture: Image.Image, rng: np.random.Generator, hue: Colour, side: int) -> None:
    draw, step = ImageDraw.Draw(picture, "RGBA"), int(rng.integers(side // 12, side // 6))
    for x in range(0, side, step):
        draw.rectangle((x, 0, x + step // 3, side), fill=(*hue, 140))


def _rug(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, second = _pick(rng, palette), _pick(rng, palette)
    picture = _shaded(base, 1 + 0.07 * grain(rng, side, (side // 2, side // 3)))
    draw = ImageDraw.Draw(picture, "RGBA")
    for k in range(int(rng.integers(1, 4))):
        inset = side * (0.05 + 0.11 * k)
        draw.rectangle((inset, inset, side - inset, side - inset), outline=(*second, 200), width=max(2, side // 40))
    return picture.rotate(float(rng.uniform(-30, 30)), Image.Resampling.BILINEAR, fillcolor=_pick(rng, WOODS))


def _blanket(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base, second = mix(_pick(rng, palette), (200, 196, 188), 0.3), _pick(rng, palette)
    picture = _shaded(base, 1 + 0.06 * grain(rng, side, (8, 8)) + 0.04 * grain(rng, side, (side // 2, side // 3)))
    draw, step = ImageDraw.Draw(picture, "RGBA"), int(rng.uniform(0.14, 0.3) * side)
    for x in range(0, side, step):
        draw.rectangle((x, 0, x + step // 2, side), fill=(*second, 80))
        draw.rectangle((0, x, side, x + step // 2), fill=(*second, 80))
    return picture.rotate(float(rng.uniform(-30, 30)), Image.Resampling.BILINEAR, fillcolor=base)


def _concrete(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:  # noqa: ARG001
    base = mix(_pick(rng, WALLS), (128, 128, 126), 0.65)
    light = 1 + 0.07 * grain(rng, side, (6, 6)) + 0.03 * grain(rng, side, (side // 2, side // 2))
    picture = _shaded(base, light)
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 3))):
        a, b = rng.uniform(0, side, 2)
        draw.line((0, a, side, b) if rng.random() < 0.5 else (a, 0, b, side), fill=tint(base, 0.66), width=max(2, side // 60))
    return picture


def _grass(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:  # noqa: ARG001
    base = mix((96, 132, 62), (150, 140, 80), float(rng.uniform(0, 0.6)))
    light = 1 + 0.12 * grain(rng, side, (7, 7)) + 0.14 * grain(rng, side, (side // 5, side // 2))
    return _shaded(base, light)


def _wall(rng: np.random.Generator, side: int, base: Colour, floor: Colour, horizon: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A wall and a floor that meet at `horizon` (share of the height)."""
    light = 1 + 0.05 * grain(rng, side, (3, 3))
    picture = _shaded(base, light)
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
    picture, draw = _wall(rng, side, _pick(rng, WALLS), _pick(rng, WOODS), horizon)
    x = rng.choice([-0.1, 0.6])
    _box(draw, side, (x, horizon - 0.25, x + 0.5, horizon + 0.15), _pick(rng, palette))
    _box(draw, side, (x + 0.05, horizon - 0.33, x + 0.25, horizon - 0.22), (236, 232, 226))
    for _ in range(int(rng.integers(1, 4))):
        left, top, width = rng.uniform(0, 0.8), rng.uniform(0.02, 0.3), rng.uniform(0.1, 0.22)
        _box(draw, side, (left, top, left + width, top + width * 1.2), _pick(rng, palette))
    return picture


def _mirror(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    picture, draw = _wall(rng, side, _pick(rng, WALLS), _pick(rng, WOODS), rng.uniform(0.75, 0.9))
    left = rng.uniform(0.02, 0.5)
    _box(draw, side, (left, 0.05, left + 0.4, 0.86), _pick(rng, WOODS))
    draw.ellipse([side * v for v in (left + 0.33, 0.45, left + 0.37, 0.49)], fill=(200, 180, 120))
    frame, edge = _pick(rng, palette), side * rng.uniform(0.03, 0.08)
    draw.rectangle((0, 0, side, side), outline=frame, width=round(edge))
    return picture


def _kitchen(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    picture = _tiles(rng, side, palette)
    draw, hue, counter = ImageDraw.Draw(picture, "RGBA"), _pick(rng, palette), rng.uniform(0.5, 0.65)
    for k in range(4):
        _box(draw, side, (0.27 * k - 0.05, counter + 0.05, 0.27 * k + 0.2, 1.0), hue)
        if rng.random() < 0.6:
            _box(draw, side, (0.27 * k - 0.05, -0.05, 0.27 * k + 0.2, 0.22), hue)
    draw.rectangle((0, side * counter, side, side * (counter + 0.05)), fill=_pick(rng, WOODS))
    return picture


def _street(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    sky = mix((190, 208, 222), (226, 222, 212), float(rng.random()))
    picture = Image.new("RGB", (side, side), sky)
    draw, x = ImageDraw.Draw(picture, "RGBA"), -0.1
    while x < 1:
        width, top = rng.uniform(0.2, 0.4), rng.uniform(0.0, 0.3)
        hue = mix(_pick(rng, palette), (150, 146, 140), 0.55)
        _box(draw, side, (x, top, x + width, 0.82), hue)
        for row in np.arange(top + 0.06, 0.66, 0.14):
            for column in np.arange(x + 0.04, x + width - 0.07, 0.11):
                draw.rectangle([side * v for v in (column, row, column + 0.06, row + 0.08)], fill=(*tint(hue, rng.choice([0.5, 1.6])), 220))
        x += width
    ground = mix((130, 130, 130), _pick(rng, WALLS), 0.3)
    draw.polygon([(0, side * 0.8), (side, side * 0.76), (side, side), (0, side)], fill=ground)
    draw.line([(0, side * 0.88), (side, side * 0.82)], fill=tint(ground, 1.5), width=max(2, side // 60))
    return picture


def _park(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:  # noqa: ARG001
    picture = Image.new("RGB", (side, side), mix((196, 214, 224), (236, 226, 200), float(rng.random())))
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(26):
        x, y, r = rng.uniform(-0.1, 1.1), rng.uniform(0.0, 0.5), rng.uniform(0.08, 0.2)
        green = tint(mix((70, 110, 60), (160, 140, 60), float(rng.random())), rng.uniform(0.6, 1.2))
        draw.ellipse([side * v for v in (x - r, y - r, x + r, y + r)], fill=green)
    for x in rng.uniform(0, 1, 3):
        draw.rectangle([side * v for v in (x, 0.35, x + 0.04, 0.75)], fill=(84, 62, 46))
    draw.rectangle((0, side * 0.66, side, side), fill=(112, 140, 76))
    draw.polygon([(side * v, side * h) for v, h in ((0.35, 0.66), (0.6, 0.66), (1.1, 1.0), (-0.2, 1.0))], fill=(186, 172, 148))
    return picture


def _bricks(rng: np.random.Generator, side: int, palette: Sequence[Colour]) -> Image.Image:
    base = mix((156, 84, 62), _pick(rng, palette), float(rng.uniform(0, 0.5)))
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
    picture, draw = _wall(rng, side, tint(_pick(rng, WOODS), 0.6), _pick(rng, WOODS), 0.82)
    for _ in range(3):
        x, y = rng.uniform(-0.1, 0.8), rng.uniform(0.35, 0.6)
        _box(draw, side, (x, y, x + 0.3, 0.9), tint(_pick(rng, palette), 0.8))
    for _ in range(12):
        x, y, r = rng.uniform(0, 1), rng.uniform(0, 0.5), rng.uniform(0.02, 0.06)
        draw.ellipse([side * v for v in (x - r, y - r, x + r, y + r)], fill=(255, 226, 160, int(rng.integers(60, 170))))
    return picture.filter(ImageFilter.GaussianBlur(side / 90))


SCENES: dict[str, Scene] = {
    "parquet": _parquet, "planks": _planks, "tiles": _tiles, "bed": _bed, "rug": _rug, "blanket": _blanket,
    "concrete": _concrete, "grass": _grass, "bedroom": _bedroom, "mirror": _mirror, "kitchen": _kitchen,
    "street": _street, "park": _park, "bricks": _bricks, "cafe": _cafe,
}  # fmt: skip
