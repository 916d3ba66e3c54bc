"""Silhouettes of skirts, and the skirt part of a dress."""

from dataclasses import dataclass

import numpy as np

from pipeline.atelier.curves import Points, path, rectangle, whole
from pipeline.atelier.fabric import Fabric
from pipeline.atelier.layers import Cloth, Garment, Layer, Stroke
from pipeline.atelier.lower import HIP_Y, WAIST_Y, waistband
from pipeline.atelier.tailor import Tailor
from pipeline.atelier.torso import SIDES, buttons, flap_pockets


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
            side = path((self.waist, self.top), (self.hip, (self.top + hip_y) / 2, self.hip, hip_y),
                        ((self.hip + self.hem) / 2, (hip_y + self.length) / 2, self.hem, self.length))  # fmt: skip
        else:
            middle = (self.top + self.length) / 2
            side = path((self.waist, self.top), (0.5 * (self.waist + self.hem) - 0.04, middle, self.hem, self.length))
        x = np.linspace(self.hem, 0, 30)
        y = self.length + 0.1 * self.hem * (1 - (x / self.hem) ** 2)
        if self.waves:
            y += 0.028 * np.cos(np.pi * self.waves * x / self.hem)
        return whole(np.concatenate([[(0, self.top)], side, np.stack([x, y], axis=1)]))


def tiers(skirt: Skirt, fabrics: list[Fabric]) -> list[Layer]:
    """The skirt as gathered tiers, one fabric each, from the hem up."""
    layers: list[Layer] = []
    n = len(fabrics)
    for k in reversed(range(n)):
        bottom = skirt.top + (skirt.length - skirt.top) * (k + 1) / n
        share = (k + 1) / n
        hem = skirt.waist + (skirt.hem - skirt.waist) * share**0.8
        top = bottom - (skirt.length - skirt.top) / n
        waist = skirt.waist + (skirt.hem - skirt.waist) * (k / n) ** 0.8
        piece = Skirt(max(waist - 0.02, 0.05), 0, hem, bottom, max(top - 0.03, skirt.top), waves=9 + 2 * k)
        layers.append(Cloth(piece.outline(), fabrics[k], pleats=17, apex=top - 0.9))
    return layers


def slit(t: Tailor, x: float, top: float, bottom: float) -> list[Layer]:
    """A slit or wrap edge."""
    return [] if t.pose.back else [t.seam(path((x - 0.1, top), (x, (top + bottom) / 2, x + 0.02, bottom)), 0.03)]


def mini_skirt(t: Tailor) -> Garment:
    """Above the knee: pencil, flared, pleated, buttoned."""
    kind = t.choose(("a_line", "flared", "pleated", "buttoned", "ruffle"))
    waist, length = t.number(0.27, 0.31), t.length(1.6, 1.9)
    flare = t.width(0.0, 0.12)
    hem = {"a_line": 0.43, "flared": 0.58, "pleated": 0.5, "buttoned": 0.42, "ruffle": 0.46}[kind] + flare
    pockets, count, folds = t.chance(0.5), int(t.choose((4, 5))), t.number(9, 15)
    skirt = Skirt(waist, 0.37 if kind in ("a_line", "buttoned") else 0, hem, length, waves=8 if kind == "flared" else 0)
    pleats = {"pleated": folds + 5, "flared": folds * 0.6}.get(kind, 0)
    layers: list[Layer] = []
    if kind == "ruffle":
        layers += tiers(skirt, [t.cloth, t.accent if pockets else t.cloth])
    else:
        layers.append(Cloth(skirt.outline(), t.cloth, pleats=pleats, apex=0.2 if kind == "pleated" else 0.45))
    layers += waistband(waist, WAIST_Y, t.cloth.plain())
    if kind == "buttoned":
        layers += buttons(t, 1.12, length - 0.1, count, radius=0.032)
    if kind in ("a_line", "buttoned") and pockets:
        layers += flap_pockets(t, 0.24, 1.2, 0.1)
    if kind == "a_line":
        layers.append(t.seam(np.array([(0, 1.05), (0, length + 0.04)])))
    return Garment([], layers)


def midi_skirt(t: Tailor) -> Garment:
    """To the calf: pleated, pencil, tiered, wrapped or full."""
    kind = t.choose(("pleated", "pencil", "tiered", "wrap", "full"))
    waist, length = t.number(0.27, 0.31), t.length(2.15, 2.8)
    flare, folds, count = t.width(0.0, 0.16), t.number(12, 18), int(t.choose((3, 4)))
    hem = {"pleated": 0.6, "pencil": 0.33, "tiered": 0.62, "wrap": 0.48, "full": 0.72}[kind] + flare * (kind != "pencil")
    contrast, belt = t.chance(0.4), t.chance(0.35)
    skirt = Skirt(waist, 0.39 if kind in ("pencil", "wrap") else 0, hem, length, waves=7 if kind == "full" else 0)
    layers: list[Layer] = []
    if kind == "tiered":
        fabrics = [t.cloth, t.accent] * 2 if contrast else [t.cloth] * 4
        layers += tiers(skirt, fabrics[:count])
    else:
        pleats = {"pleated": folds + 6, "full": folds * 0.5}.get(kind, 0)
        layers.append(Cloth(skirt.outline(), t.cloth, pleats=pleats, apex=0.1 if kind == "pleated" else 0.4))
    layers += waistband(waist, WAIST_Y, (t.accent if belt else t.cloth).plain(), 0.11)
    if kind == "wrap":
        layers += slit(t, 0.2, 1.06, length + 0.03)
        knot = rectangle(0.12, 0.95, 0.22, 1.08, 0.03)
        layers += [] if t.pose.back else [Cloth(knot, t.cloth), Stroke(path((0.17, 1.05), (0.22, 1.2, 0.2, 1.42)), t.thread, 0.05)]
    if kind == "pencil":
        layers += slit(t, 0.16, HIP_Y + 0.35, length + 0.03)
        layers += [t.seam(np.array([(0.14, 1.06), (0.16, 1.3)]) * (s, 1)) for s in SIDES]
    return Garment([], layers)
