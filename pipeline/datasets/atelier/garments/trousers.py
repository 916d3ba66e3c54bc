"""Silhouettes with two legs."""

from pipeline.datasets.atelier.curves import both, path, rectangle
from pipeline.datasets.atelier.figure.legs import HIP_Y, Legs, fly, hip_pockets, legs, waistband
from pipeline.datasets.atelier.figure.torso import SIDES
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Garment, Stroke

PALE = (236, 240, 242)


def trousers(t: Tailor) -> Garment:
    """Creased or pleated, straight, wide or tapered."""
    kind = t.choose(("straight", "wide", "tapered"))
    hem = {"straight": t.width(0.14, 0.17), "wide": t.width(0.22, 0.3), "tapered": t.width(0.095, 0.115)}[kind]
    knee = {"straight": 0.17, "wide": 0.22, "tapered": 0.16}[kind]
    cut = Legs(t.number(0.29, 0.33), t.width(0.38, 0.42), knee, hem, t.length(2.7, 3.05))
    turn_up, belt, stripe, crease = t.chance(0.25), t.chance(0.35), t.chance(0.15), t.chance(0.7)
    t.tell(trim="belt" if belt else "stripe" if stripe else "none")
    layers = legs(t, cut)
    for side in SIDES:
        low = cut.centre(t.pose, side, cut.length)
        if crease:
            line = path((cut.hip / 2 - 0.02, 1.12), (low, cut.length))
            layers.append(t.seam(line * (side, 1), 0.016))
        if stripe:
            line = path((cut.hip - 0.02, 1.2), (low + hem - 0.02, cut.length))
            layers.append(Stroke(line * (side, 1), t.accent.ground, 0.045))
        if turn_up:
            layers.append(Cloth(cut.end(t.pose, side, 0.11), t.cloth, light=0.9, volume=0.4))
    layers += waistband(cut.waist, cut.rise, t.accent.plain() if belt else t.cloth)
    layers += [*fly(t, cut.rise, stitched=False), *hip_pockets(t, cut, stitched=False)]
    if belt:
        layers += t.facing(Stroke(rectangle(-0.05, cut.rise + 0.01, 0.05, cut.rise + 0.105), t.detail, 0.02))
    return Garment([], layers)


def jeans(t: Tailor) -> Garment:
    """Denim with visible stitches, faded thighs, sometimes torn."""
    kind = t.choose(("skinny", "straight", "flared", "wide"))
    knee, hem = {"skinny": (0.13, 0.085), "straight": (0.165, 0.145), "flared": (0.14, 0.23), "wide": (0.2, 0.22)}[kind]
    cut = Legs(t.number(0.29, 0.32), t.width(0.37, 0.4), knee, t.width(0.92, 1.08) * hem, t.length(2.65, 3.05))
    faded, torn, rolled = t.chance(0.6), t.chance(0.3), t.chance(0.3)
    t.tell(trim="none")
    holes = [(t.choose(SIDES), t.number(1.9, 2.4), t.number(0.05, 0.09)) for _ in range(2)]
    layers = legs(t, cut)
    for side in SIDES:
        if faded:
            x, low = cut.hip / 2 + 0.01, cut.centre(t.pose, side, 2.1)
            shape = path((x, 1.4), (x + 0.1, 1.7, low, 2.15), (x - 0.09, 1.8, x, 1.4))
            layers += t.facing(Flat(shape * (side, 1), PALE, 0.22))
        if rolled:
            layers.append(Cloth(cut.end(t.pose, side, 0.12), t.accent.plain(), volume=0.4))
    for side, y, size in holes if torn else ():
        x = cut.centre(t.pose, side, y)
        threads = [path((x - size, y + step), (x + size, y + step + 0.01)) for step in (0, 0.035, 0.07)]
        layers += t.facing(*(Stroke(thread * (side, 1), PALE, 0.018) for thread in threads))
    layers += [*waistband(cut.waist, cut.rise, t.cloth.plain()), *fly(t, cut.rise, stitched=True)]
    return Garment([], layers + hip_pockets(t, cut, stitched=True))


def leggings(t: Tailor) -> Garment:
    """Close-fitting, a broad waistband, sporty stripes or panels."""
    cut = Legs(0.28, t.number(0.345, 0.365), 0.125, t.number(0.07, 0.08), t.length(2.5, 3.0))
    trim, stripe, mesh = t.chance(0.5), t.chance(0.45), t.chance(0.35)
    height = t.number(0.12, 0.22)
    t.tell(trim="stripe" if stripe else "none")
    layers = legs(t, cut, volume=1.3)
    for side in SIDES:
        low = cut.centre(t.pose, side, cut.length) + cut.hem - 0.015
        if stripe:
            knee = cut.centre(t.pose, side, 2.1) + 0.1
            line = path((cut.hip - 0.02, HIP_Y), (knee, 2.1, low, cut.length))
            layers.append(Stroke(line * (side, 1), t.accent.ground, 0.05))
        if mesh:
            layers.append(Cloth(cut.end(t.pose, side, 0.3), t.accent.plain(), volume=0.8))
    return Garment([], layers + waistband(cut.waist, cut.rise, (t.accent if trim else t.cloth).plain(), height))


def shorts(t: Tailor) -> Garment:
    """Short: sporty with a drawstring, or cut like jeans."""
    hip = t.width(0.4, 0.43)
    cut = Legs(t.number(0.3, 0.34), hip, 0.2, t.width(0.2, 0.24), t.length(1.82, 2.02), spread=0.13)
    sporty, turn_up, stripe = t.choose((True, False)), t.chance(0.5), t.chance(0.4)
    t.tell(trim="stripe" if stripe and sporty else "none")
    layers = legs(t, cut)
    for side in SIDES:
        if stripe and sporty:
            low = cut.centre(t.pose, side, cut.length) + cut.hem - 0.03
            line = path((cut.hip - 0.03, 1.2), (cut.hip, 1.4, low, cut.length))
            layers.append(Stroke(line * (side, 1), t.accent.ground, 0.06))
        if turn_up:
            fabric, light = (t.accent.plain(), 1.0) if sporty else (t.cloth, 0.9)
            layers.append(Cloth(cut.end(t.pose, side, 0.08), fabric, light=light, volume=0.4))
    layers += waistband(cut.waist, cut.rise, t.cloth.plain())
    if not sporty:
        layers += [*fly(t, cut.rise, stitched=True), *hip_pockets(t, cut, stitched=True)]
    else:
        cord = path((0, cut.rise + 0.07), (0.06, cut.rise + 0.2, 0.05, cut.rise + 0.36))
        layers += t.facing(*(Stroke(side, t.detail, 0.024) for side in both(cord)))
    return Garment([], layers)


def bermudas(t: Tailor) -> Garment:
    """To the knee: chinos or cargo with big pockets."""
    hip = t.width(0.39, 0.43)
    cut = Legs(t.number(0.3, 0.34), hip, 0.19, t.width(0.17, 0.21), t.length(2.15, 2.4), spread=0.07)
    cargo, turn_up, belt = t.chance(0.5), t.chance(0.4), t.chance(0.4)
    t.tell(trim="pocket" if cargo else "belt" if belt else "none")
    layers = legs(t, cut)
    for side in SIDES:
        if cargo:
            x = cut.centre(t.pose, side, 1.85) + 0.1
            pocket, flap = rectangle(x - 0.1, 1.72, x + 0.11, 2.02), rectangle(x - 0.115, 1.68, x + 0.125, 1.78)
            layers.append(Cloth(pocket * (side, 1), t.cloth, volume=0.6))
            layers.append(Cloth(flap * (side, 1), t.cloth, light=0.88, volume=0.4))
        if turn_up:
            layers.append(Cloth(cut.end(t.pose, side, 0.1), t.cloth, light=0.9, volume=0.4))
    layers += waistband(cut.waist, cut.rise, t.accent.plain() if belt else t.cloth)
    return Garment([], layers + fly(t, cut.rise, stitched=False) + hip_pockets(t, cut, stitched=False))
