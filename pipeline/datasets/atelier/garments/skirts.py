"""Silhouettes of skirts, and the skirt part of a dress."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.datasets.atelier.attributes import reach
from pipeline.datasets.atelier.cloth.fabric import Fabric
from pipeline.datasets.atelier.curves import Points, both, path, rectangle, whole
from pipeline.datasets.atelier.figure.legs import HIP_Y, WAIST_Y, waistband
from pipeline.datasets.atelier.garments.details import buttons, flap_pockets
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Garment, Layer, Stroke


@dataclass(frozen=True)
class Skirt:
    """Half-widths of a skirt from `top` to `length`; `hip` 0: it falls straight from the waist. `waves` at the hem."""

    waist: float
    hip: float
    hem: float
    length: float
    top: float = WAIST_Y
    waves: int = 0

    def outline(self) -> Points:
        """The whole piece."""
        hip_y = self.top + 0.37
        if self.hip:
            seat = (self.hip, (self.top + hip_y) / 2, self.hip, hip_y)
            fall = ((self.hip + self.hem) / 2, (hip_y + self.length) / 2, self.hem, self.length)
            side = path((self.waist, self.top), seat, fall)
        else:
            middle = (self.waist + self.hem) / 2 - 0.04, (self.top + self.length) / 2
            side = path((self.waist, self.top), (*middle, self.hem, self.length))
        x = np.linspace(self.hem, 0, 30)
        y = self.length + 0.1 * self.hem * (1 - (x / self.hem) ** 2)
        if self.waves:
            y += 0.028 * np.cos(np.pi * self.waves * x / self.hem)
        return whole(np.concatenate([[(0, self.top)], side, np.stack([x, y], axis=1)]))


def tiers(skirt: Skirt, fabrics: Sequence[Fabric]) -> list[Layer]:
    """The skirt as gathered tiers from the waist down, one fabric each."""
    edges = np.linspace(skirt.top, skirt.length, len(fabrics) + 1)
    widths = skirt.waist + (skirt.hem - skirt.waist) * np.linspace(0, 1, len(fabrics) + 1) ** 0.8
    layers: list[Layer] = []
    for k, fabric in reversed(list(enumerate(fabrics))):
        top = max(edges[k] - 0.03, skirt.top)
        piece = Skirt(widths[k] - 0.02, 0, widths[k + 1], edges[k + 1], top, waves=9 + 2 * k)
        layers.append(Cloth(piece.outline(), fabric, pleats=17, apex=edges[k] - 0.9))
    return layers


def slit(t: Tailor, x: float, top: float, bottom: float) -> list[Layer]:
    """A slit or the edge of a wrap."""
    return t.facing(t.seam(path((x - 0.1, top), (x, (top + bottom) / 2, x + 0.02, bottom)), 0.03))


def mini_skirt(t: Tailor) -> Garment:
    """Above the knee: plain, flared, pleated, buttoned or with a ruffle."""
    kind = t.choose(("a_line", "flared", "pleated", "buttoned", "ruffle"))
    waist, length, flare = t.number(0.27, 0.31), t.length(1.6, 1.9), t.width(0.0, 0.12)
    hem = {"a_line": 0.43, "flared": 0.58, "pleated": 0.5, "buttoned": 0.42, "ruffle": 0.46}[kind] + flare
    extra, count, folds = t.chance(0.5), t.choose((4, 5)), t.number(9, 15)
    fitted = kind in ("a_line", "buttoned")
    skirt = Skirt(waist, 0.37 if fitted else 0, hem, length, waves=8 if kind == "flared" else 0)
    trims = {"buttoned": "buttons", "ruffle": "ruffle", "pleated": "pleats"} | ({"a_line": "pocket"} if extra else {})
    t.tell(trim=trims.get(kind, "none"), **reach(length))
    if kind == "ruffle":
        layers = tiers(skirt, (t.cloth, t.accent if extra else t.cloth))
    else:
        pleats, apex = {"pleated": (folds + 5, 0.2), "flared": (0.6 * folds, 0.45)}.get(kind, (0, 0))
        layers = [Cloth(skirt.outline(), t.cloth, pleats=pleats, apex=apex)]
    layers += waistband(waist, WAIST_Y, t.cloth.plain())
    if kind == "buttoned":
        layers += buttons(t, 1.12, length - 0.1, count, radius=0.032)
    if kind == "a_line":
        layers.append(t.seam(path((0, 1.05), (0, length + 0.04))))
    if fitted and extra:
        layers += flap_pockets(t, 0.24, 1.2, 0.1)
    return Garment([], layers)


def midi_skirt(t: Tailor) -> Garment:
    """To the calf: pleated, pencil, tiered, wrapped or full."""
    kind = t.choose(("pleated", "pencil", "tiered", "wrap", "full"))
    waist, length, flare = t.number(0.27, 0.31), t.length(2.15, 2.8), t.width(0.0, 0.16)
    hem = 0.33 if kind == "pencil" else {"pleated": 0.6, "tiered": 0.62, "wrap": 0.48, "full": 0.72}[kind] + flare
    folds, count = t.number(12, 18), t.choose((3, 4))
    second, belt = t.accent if t.chance(0.4) else t.cloth, (t.accent if t.chance(0.35) else t.cloth).plain()
    skirt = Skirt(waist, 0.39 if kind in ("pencil", "wrap") else 0, hem, length, waves=7 if kind == "full" else 0)
    t.tell(trim={"tiered": "ruffle", "pleated": "pleats", "wrap": "bow"}.get(kind, "none"), **reach(length))
    if kind == "tiered":
        layers = tiers(skirt, (t.cloth, second, t.cloth, second)[:count])
    else:
        pleats, apex = {"pleated": (folds + 6, 0.1), "full": (0.5 * folds, 0.4)}.get(kind, (0, 0))
        layers = [Cloth(skirt.outline(), t.cloth, pleats=pleats, apex=apex)]
    layers += waistband(waist, WAIST_Y, belt, 0.11)
    if kind == "wrap":
        knot, end = rectangle(0.12, 0.95, 0.22, 1.08, 0.03), path((0.17, 1.05), (0.22, 1.2, 0.2, 1.42))
        layers += [*slit(t, 0.2, 1.06, length + 0.03), *t.facing(Cloth(knot, t.cloth), Stroke(end, t.thread, 0.05))]
    if kind == "pencil":
        layers += slit(t, 0.16, HIP_Y + 0.35, length + 0.03)
        layers += [t.seam(side) for side in both(path((0.14, 1.06), (0.16, 1.3)))]
    return Garment([], layers)
