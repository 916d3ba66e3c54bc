"""The customer's view of an item: worn by somebody or laid down, among other things, by a hand-held camera."""

import numpy as np
from PIL import Image

from pipeline.datasets.atelier.canvas import View, draw
from pipeline.datasets.atelier.cloth.fabric import Colour
from pipeline.datasets.atelier.figure import body
from pipeline.datasets.atelier.garments.tailor import Pose
from pipeline.datasets.atelier.items import Item
from pipeline.datasets.atelier.scene import clutter
from pipeline.datasets.atelier.scene.camera import Picture, develop, distort, hand_held, lay
from pipeline.datasets.atelier.scene.floors import FLOORS
from pipeline.datasets.atelier.scene.layers import placed
from pipeline.datasets.atelier.scene.rooms import ROOMS

MARGIN = 1.3  # the drawing reaches beyond the frame, so that turning it leaves no empty corner
FRAME = View((0.0, 0.0), 1.0)


def consumer_picture(item: Item, rng: np.random.Generator, side: int) -> Picture:
    """`side` pixels wide and high."""
    camera = item.style.consumer
    worn = bool(rng.random() < item.style.worn)
    pose = _worn_pose(rng) if worn else _laid_pose(rng)
    garment = item.garment(pose)
    view = View.of(garment, rng.uniform(*camera.size)).wider(MARGIN)
    layers = garment.behind + garment.front
    if worn:
        person = body.meet(rng)
        wearer, hair = body.behind(person, pose, item.kind), body.over(person, pose, item.kind)
        layers = [*garment.behind, *wearer, *garment.front, *hair]
    drawing = _mirrored(rng, draw(rng, layers, view, side=round(2 * side * MARGIN), folds=0.07), 0.25)
    place = hand_held(rng, camera, rng.uniform(*camera.turn) * (0.2 if worn else 1.0))
    seen = distort(drawing, 2 * side, lambda points: place(points) / MARGIN)
    far = side * (0.12 if worn else 0.035)  # from the garment to what is behind it
    ground = _surroundings(rng, item, 2 * side, worn=worn)
    picture = lay(seen, ground, drop=far * rng.uniform(-1, 1, 2), soft=far, depth=0.25 if worn else 0.5)
    return Picture(develop(_obstructed(rng, item, picture, worn=worn), rng, camera), garment.told)


def _worn_pose(rng: np.random.Generator) -> Pose:
    arms, elbows, legs = rng.uniform(0.12, 0.42, 2), rng.uniform(-0.5, 0.05, 2), rng.uniform(0.0, 0.13, 2)
    return Pose(tuple(arms), tuple(elbows), tuple(legs), back=bool(rng.random() < 0.08))


def _laid_pose(rng: np.random.Generator) -> Pose:
    arms, elbows, legs = rng.uniform(0.15, 1.0, 2), rng.uniform(-0.9, 0.25, 2), rng.uniform(0.0, 0.16, 2)
    return Pose(tuple(arms), tuple(elbows), tuple(legs))


def _surroundings(rng: np.random.Generator, item: Item, side: int, *, worn: bool) -> Image.Image:
    style = item.style
    scenes, names = (ROOMS, style.rooms) if worn else (FLOORS, style.floors)
    ground = scenes[names[rng.integers(len(names))]](rng, side, style.palette)
    if worn:
        return ground
    things = clutter.scattered(rng, clutter.ANY, _hues(rng, item, int(rng.integers(1, 4))), edge=0.75)
    drawing = draw(rng, things, FRAME, side=side, folds=0.0)
    return lay(drawing, ground, drop=(2, 3), soft=0.02 * side, depth=0.45)


def _obstructed(rng: np.random.Generator, item: Item, picture: Image.Image, *, worn: bool) -> Image.Image:
    """Often a hand, a strap or another thing in front of the garment."""
    chance, hues = rng.random(), _hues(rng, item, 1)
    if chance > 0.45:
        return picture
    if worn and item.kind.place in ("upper", "whole") and chance < 0.18:
        centre, angle = (rng.uniform(-0.1, 0.1), rng.uniform(-0.3, 0.0)), rng.uniform(0.7, 1.1)
        layers = placed(clutter.strap(rng, hues[0]), centre, angle=angle)
    elif worn or chance < 0.2:
        centre, angle = (rng.uniform(0.35, 0.7), rng.uniform(-0.6, 0.7)), rng.uniform(-0.5, 0.5)
        layers = placed(clutter.hand(rng, hues[0]), centre, 0.9, angle)
    else:
        layers = clutter.scattered(rng, clutter.SMALL, hues, edge=0.5)
    drawing = _mirrored(rng, draw(rng, layers, FRAME, side=picture.width, folds=0.0), 0.5)
    return lay(drawing, picture, drop=(2, 3), soft=0.02 * picture.width, depth=0.4)


def _hues(rng: np.random.Generator, item: Item, count: int) -> list[Colour]:
    palette = item.style.palette
    return [palette[i] for i in rng.integers(len(palette), size=count)]


def _mirrored(rng: np.random.Generator, drawing: Image.Image, share: float) -> Image.Image:
    """The drawing, for this share of the pictures the other way round."""
    return drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < share else drawing
