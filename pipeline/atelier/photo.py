"""The two views of an item: the shop's clean picture and the customer's own."""

import numpy as np
from PIL import Image

from pipeline.atelier import body, camera, clutter, scenes
from pipeline.atelier.canvas import Canvas, creases
from pipeline.atelier.curves import ellipse, path
from pipeline.atelier.items import Item
from pipeline.atelier.layers import Garment, Layer, Stroke
from pipeline.atelier.tailor import Pose

MARGIN = 1.3  # the drawing reaches beyond the frame, so that turning it leaves no empty corner
HANGER = (168, 132, 92)
STEEL = (150, 152, 156)


def shop_picture(item: Item, rng: np.random.Generator, side: int, *, first: bool) -> bytes:
    """JPEG, `side` pixels: upright on a plain ground. Only the `first` picture is sure to show the whole front."""
    style = item.style
    view = "front" if first else str(rng.choice(["front", "back", "detail"]))
    arms = rng.uniform(*style.arms)
    garment = item.garment(Pose(arms=(arms, arms), elbows=(-0.12, -0.12), back=view == "back"))
    hanging = _hanger(item) if rng.random() < style.hanger else []
    garment.behind[:0] = hanging
    size = rng.uniform(*style.shop.size) * (1.45 if view == "detail" else 1.0)
    centre, half = _frame(garment)
    offset = rng.uniform(-style.shop.shift, style.shop.shift, 2) * half
    if view == "detail":
        offset += (rng.uniform(-0.15, 0.15) * half, -0.25 * half)
    drawing = _draw(rng, garment.behind + garment.front, 2 * side, centre + offset, half / size, 0.035)
    drawing = drawing.rotate(np.degrees(rng.uniform(*style.shop.turn)), Image.Resampling.BILINEAR)
    ground = _backdrop(rng, style.backdrops[rng.integers(len(style.backdrops))], 2 * side)
    picture = camera.lay(drawing, ground, drop=(0.01 * side, 0.03 * side), soft=0.05 * side, depth=0.28)
    return camera.develop(picture, rng, style.shop)


def consumer_picture(item: Item, rng: np.random.Generator, side: int) -> bytes:
    """JPEG, `side` pixels: worn by somebody or laid on a floor, among other things, by a hand-held camera."""
    style = item.style
    worn = bool(rng.random() < style.worn)
    pose = _worn_pose(rng) if worn else _laid_pose(rng)
    garment = item.garment(pose)
    centre, half = _frame(garment)
    reach = half / rng.uniform(*style.consumer.size) * MARGIN
    layers = garment.behind + garment.front
    if worn:
        person = body.meet(rng)
        kind = item.kind
        layers = [*garment.behind, *body.figure(person, pose, kind), *garment.front, *body.over(person, pose, kind)]
    drawing = _draw(rng, layers, round(2 * side * MARGIN), centre, reach, 0.07)
    if rng.random() < 0.25:
        drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turn = rng.uniform(*style.consumer.turn) * (0.2 if worn else 1.0)
    place_map = camera.hand_held(rng, style.consumer, turn)
    seen = camera.distort(drawing, 2 * side, lambda points: place_map(points) / MARGIN)
    ground = _surroundings(rng, item, 2 * side, worn=worn)
    depth, far = (0.25, 0.12) if worn else (0.5, 0.035)
    picture = camera.lay(seen, ground, drop=tuple(far * side * rng.uniform(-1, 1, 2)), soft=far * side, depth=depth)
    return camera.develop(_obstructed(rng, item, picture, worn=worn), rng, style.consumer)


def _frame(garment: Garment) -> tuple[np.ndarray, float]:
    """Centre and half of the longer side of a garment."""
    x0, y0, x1, y1 = garment.bounds()
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2]), max(x1 - x0, y1 - y0) / 2


def _draw(
    rng: np.random.Generator, layers: list[Layer], side: int, centre: np.ndarray, reach: float, folds: float
) -> Image.Image:
    angle = rng.uniform(-2.4, -0.7)  # light comes from above
    canvas = Canvas(side, tuple(centre), reach, creases(rng, side, folds), (-np.cos(angle), -np.sin(angle)))
    canvas.draw(layers)
    return canvas.image()


def _backdrop(rng: np.random.Generator, shades: tuple, side: int) -> Image.Image:
    top, bottom = (np.array(shade, np.float32) for shade in shades)
    ramp = np.linspace(0, 1, side, dtype=np.float32)[:, None, None] ** rng.uniform(0.8, 2.5)
    return Image.fromarray(np.broadcast_to(top + (bottom - top) * ramp, (side, side, 3)).astype(np.uint8))


def _hanger(item: Item) -> list[Layer]:
    """What a garment hangs on, if it is of the kind that hangs."""
    match item.kind.place:
        case "upper" | "whole":
            hook = ellipse((0, -0.26), 0.07, 0.07, 150, 400)
            bar = path((-0.4, 0.12), (-0.2, 0.0, 0, -0.06), (0.2, 0.0, 0.4, 0.12))
            return [
                Stroke(hook, STEEL, 0.025),
                Stroke(np.array([(0, -0.2), (0, -0.06)]), STEEL, 0.025),
                Stroke(bar, HANGER, 0.06),
            ]
        case "lower":
            hook = ellipse((0, 0.68), 0.07, 0.07, 150, 400)
            clips = [Stroke(np.array([(x, 0.84), (x, 0.98)]), (90, 90, 94), 0.05) for x in (-0.2, 0.2)]
            bar = np.array([(-0.32, 0.85), (0.32, 0.85)])
            return [
                Stroke(hook, STEEL, 0.025),
                Stroke(np.array([(0, 0.74), (0, 0.85)]), STEEL, 0.025),
                Stroke(bar, STEEL, 0.04),
                *clips,
            ]
        case _:
            return []


def _worn_pose(rng: np.random.Generator) -> Pose:
    arms, elbows = rng.uniform(0.12, 0.42, 2), rng.uniform(-0.5, 0.05, 2)
    return Pose(tuple(arms), tuple(elbows), tuple(rng.uniform(0.0, 0.13, 2)), back=bool(rng.random() < 0.08))


def _laid_pose(rng: np.random.Generator) -> Pose:
    arms, elbows = rng.uniform(0.15, 1.0, 2), rng.uniform(-0.9, 0.25, 2)
    return Pose(tuple(arms), tuple(elbows), tuple(rng.uniform(0.0, 0.16, 2)))


def _surroundings(rng: np.random.Generator, item: Item, side: int, *, worn: bool) -> Image.Image:
    style = item.style
    names = style.rooms if worn else style.floors
    ground = scenes.scene(rng, names[rng.integers(len(names))], side, style.palette)
    if worn:
        return ground
    lying = clutter.things(rng, style.palette, clutter.LYING, int(rng.integers(1, 4)), edge=0.75)
    return camera.lay(_draw(rng, lying, side, np.zeros(2), 1.0, 0.0), ground, drop=(2, 3), soft=0.02 * side, depth=0.45)


def _obstructed(rng: np.random.Generator, item: Item, picture: Image.Image, *, worn: bool) -> Image.Image:
    """Sometimes a hand, a strap or another thing in front of the garment."""
    chance, palette = rng.random(), item.style.palette
    if chance > 0.45:
        return picture
    hue = palette[rng.integers(len(palette))]
    if worn and item.kind.place in ("upper", "whole") and chance < 0.18:
        strap = clutter.THINGS["strap"](rng, hue)
        middle = (rng.uniform(-0.1, 0.1), rng.uniform(-0.3, 0.0))
        layers = clutter.place(strap, middle, 1.0, rng.choice([-1, 1]) * rng.uniform(0.7, 1.1))
    elif worn or chance < 0.2:
        hand = clutter.THINGS["hand"](rng, hue)
        layers = clutter.place(hand, (rng.uniform(0.35, 0.7), rng.uniform(-0.6, 0.7)), 0.9, rng.uniform(-0.5, 0.5))
    else:
        layers = clutter.things(rng, palette, clutter.SMALL, 1, edge=0.5)
    drawing = _draw(rng, layers, picture.width, np.zeros(2), 1.0, 0.0)
    if rng.random() < 0.5:
        drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return camera.lay(drawing, picture, drop=(2, 3), soft=0.02 * picture.width, depth=0.4)
