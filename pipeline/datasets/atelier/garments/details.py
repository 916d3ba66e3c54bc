"""What makes an upper garment: bands, collars, lapels, hoods, buttons, zips and pockets."""

import numpy as np

from pipeline.datasets.atelier.attributes import reach
from pipeline.datasets.atelier.cloth.fabric import Fabric, tint
from pipeline.datasets.atelier.curves import both, ellipse, mirror, moved, path, rectangle, symmetric, tube
from pipeline.datasets.atelier.figure.torso import INSIDE, Torso
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Layer, Stroke


def neck_band(t: Tailor, torso: Torso, fabric: Fabric, width: float = 0.05) -> list[Layer]:
    """A ribbed band along the neckline."""
    half = torso.neckline(t.pose.back)
    line = np.concatenate([mirror(half)[::-1], half[1:]])
    return [Cloth(tube(line, width / 2), fabric, volume=0.5)]


def hem_band(t: Tailor, torso: Torso, fabric: Fabric, width: float = 0.09) -> list[Layer]:
    """A ribbed band below the body, a little narrower than it."""
    top, bottom = torso.length - 0.02, torso.length + width
    t.tell(**reach(bottom))
    band = symmetric((0, top), (torso.hem, top), (0.94 * torso.hem, bottom), (0, bottom))
    return [Cloth(band, fabric, volume=0.7)]


def collar(t: Tailor, torso: Torso, fabric: Fabric, point: tuple[float, float]) -> list[Layer]:
    """A shirt collar whose tips end at `point` and its mirror image."""
    t.tell(neck="collar")
    n = torso.neck
    if t.pose.back:
        turned = symmetric((0, -0.08), (0.8 * n, -0.08, n + 0.03, 0.01), (0.7 * n, 0.07, 0, 0.07))
        return [Cloth(turned, fabric, volume=0.6)]
    stand = symmetric((0, -0.02), (0.8 * n, -0.07, n, -0.05), (n, 0.03), (0, 0.05))
    fold = (n + 0.03, -0.03, n + 0.05, 0.03)
    flap = path((0.0, torso.depth + 0.02), (0.5 * n, 0.0, 0.85 * n, -0.07), fold, point)
    return [Cloth(stand, fabric, light=0.75, volume=0.3), *(Cloth(side, fabric, volume=0.6) for side in both(flap))]


def stand_collar(t: Tailor, fabric: Fabric, height: float = 0.07) -> list[Layer]:
    """A collar that stands up around the neck."""
    t.tell(neck="stand")
    band = symmetric((0, -height), (0.17, -height), (0.21, 0.06), (0.15, 0.12, 0, 0.13))
    return [Cloth(band, fabric, volume=0.7)]


def lapels(t: Tailor, torso: Torso, fabric: Fabric, width: float) -> list[Layer]:
    """Collar and lapels of a jacket, down to the depth of its neck."""
    if t.pose.back:
        return collar(t, torso, fabric, (0, 0))
    t.tell(neck="lapels")
    n, depth = torso.neck, torso.depth
    notch = 0.2 * depth + 0.06
    outer, inner = (0.6 * (n + width), 0.7 * depth, 0.0, depth + 0.05), (0.5 * n, 0.4 * depth, 0.75 * n, 0.0)
    lapel = path((0.8 * n, 0), (n + width, notch + 0.06), outer, inner)
    tip = (n + 0.8 * width, notch - 0.03)
    top = path((0.7 * n, -0.06), (n + 0.05, -0.03), tip, (0.9 * n, notch + 0.04), (0.74 * n, 0.06))
    return [Cloth(side, fabric, volume=0.6) for piece in (lapel, top) for side in both(piece)]


def hood(t: Tailor, torso: Torso) -> list[Layer]:
    """A hood that lies up behind the neck, or down the back."""
    t.tell(neck="hood")
    n = torso.neck + 0.13
    if t.pose.back:
        return [Cloth(symmetric((0, -0.1), (n, -0.1, n + 0.05, 0.1), (n, 0.4, 0, 0.5)), t.cloth)]
    outer = symmetric((0, -0.42), (n, -0.42, n + 0.04, -0.1), (n, 0.1, 0.6 * n, 0.12), (0, 0.12))
    inner = symmetric((0, -0.33), (0.72 * n, -0.33, 0.76 * n, -0.08), (0.7 * n, 0.1, 0, torso.depth + 0.06))
    return [Cloth(outer, t.cloth), Cloth(inner, t.cloth.plain(), light=INSIDE, volume=0.4)]


def bow(t: Tailor, fabric: Fabric, centre: tuple[float, float], size: float) -> list[Layer]:
    """A tied bow, its tails hanging down; `size` is the width of a loop."""
    loop = path((0, 0), (0.55 * size, -0.7 * size, size, -0.25 * size), (0.9 * size, 0.5 * size, 0, 0.1 * size))
    end = ((0.4 * size, 0.8 * size, 0.3 * size, 2 * size), (0.7 * size, 1.85 * size))
    tail = path((0, 0), *end, (0.6 * size, 0.8 * size, 0.1 * size, 0))
    shapes = [moved(side, *centre) for piece in (tail, loop) for side in both(piece)]
    return t.facing(*(Cloth(shape, fabric, volume=0.7) for shape in shapes))


def buttons(t: Tailor, top: float, bottom: float, count: int, *, x: float = 0.0, radius: float = 0.024) -> list[Layer]:
    """A row of buttons down the front."""
    return t.facing(*(Flat(ellipse((x, y), radius, radius), t.detail) for y in np.linspace(top, bottom, count)))


def placket(t: Tailor, top: float, bottom: float, width: float = 0.045) -> list[Layer]:
    """The overlapping edge of a front that buttons."""
    return t.facing(Cloth(rectangle(-width, top, width, bottom), t.cloth, volume=0.25))


def front_edge(t: Tailor, top: float, bottom: float, x: float) -> list[Layer]:
    """The edge of an overlapping front, or the seam down the back."""
    if t.pose.back:
        return [t.seam(path((0, 0.7), (0, bottom)))]
    return [t.seam(path((0, top), (x, top + 0.1, x, top + 0.3), (x, bottom)), 0.022)]


def zipper(t: Tailor, top: float, bottom: float) -> list[Layer]:
    """A zip down the front, its slider at the top."""
    line = path((0, top), (0, bottom))
    tape, teeth = Stroke(line, tint(t.cloth.ground, 0.5), 0.06), Stroke(line, t.detail, 0.026, dash=0.03)
    return t.facing(tape, teeth, Flat(rectangle(-0.025, top + 0.02, 0.025, top + 0.12), t.detail))


def patch_pocket(t: Tailor, x: float, y: float, width: float, height: float) -> list[Layer]:
    """A pocket sewn on, centred at `x`."""
    half = symmetric((0, y), (width, y), (width, y + 0.8 * height), (0, y + height))
    hem = path((x - width, y + 0.03), (x + width, y + 0.03))
    return t.facing(Cloth(moved(half, x, 0), t.cloth, volume=0.3), t.seam(hem))


def flap_pockets(t: Tailor, x: float, y: float, width: float, slant: float = 0.03) -> list[Layer]:
    """Two pockets with flaps."""
    flap = path((x - width, y), (x + width, y - slant), (x + width, y + 0.09 - slant), (x - width, y + 0.09))
    return t.facing(*(Cloth(side, t.cloth, light=0.9, volume=0.3) for side in both(flap)))


def slit_pockets(t: Tailor, x: float, y: float, *, metal: bool = False) -> list[Layer]:
    """Two slanted pockets, piped or with zips."""
    colour = t.detail if metal else t.thread
    return t.facing(*(Stroke(side, colour, 0.028) for side in both(path((x + 0.06, y), (x - 0.04, y + 0.2)))))
