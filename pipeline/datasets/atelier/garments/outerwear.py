"""Silhouettes of what is worn over other clothes."""

from pipeline.datasets.atelier.cloth.fabric import tint
from pipeline.datasets.atelier.cloth.motifs import motif
from pipeline.datasets.atelier.curves import both, path, rectangle, symmetric
from pipeline.datasets.atelier.figure.torso import Sleeve, Torso, body, inside, sleeves
from pipeline.datasets.atelier.garments.details import (
    buttons,
    collar,
    flap_pockets,
    front_edge,
    hem_band,
    hood,
    lapels,
    patch_pocket,
    placket,
    slit_pockets,
    stand_collar,
    zipper,
)
from pipeline.datasets.atelier.garments.tailor import Tailor
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Garment, Layer, Stroke


def hoodie(t: Tailor) -> Garment:
    """Hood, pouch pocket, drawstrings; with or without a zip."""
    chest = t.width(0.48, 0.58)
    torso = Torso(chest + 0.03, chest, chest, chest - 0.02, t.length(1.2, 1.5), 0.19, 0.14)
    zipped, figure = t.chance(0.45), motif(t, (0, 0.58), t.number(0.13, 0.18))
    printed, rib = t.chance(0.5), (t.accent if t.chance(0.25) else t.cloth).plain()
    sleeve = Sleeve(1.0, t.width(0.16, 0.2), 0.1, 0.12, 0.02)
    layers = [*sleeves(t, torso, sleeve, rib), *body(t, torso), *hem_band(t, torso, rib)]
    t.tell(trim="zip" if zipped else "print" if printed else "none")
    if t.pose.back:
        return Garment([], layers + hood(t, torso))
    low = torso.length - 0.04
    pouch = symmetric((0, low - 0.36), (0.2, low - 0.36), (0.33, low - 0.14), (0.33, low), (0, low))
    layers.append(Cloth(pouch, t.cloth, light=0.94, volume=0.3))
    if zipped:
        layers += zipper(t, 0.14, torso.length + 0.08)
    elif printed:
        layers += figure
    layers += [Stroke(side, t.detail, 0.028) for side in both(path((0.09, 0.13), (0.11, 0.46)))]
    return Garment(hood(t, torso), layers)


def jacket(t: Tailor) -> Garment:
    """Short and zipped or buttoned: bomber, denim, biker or puffer."""
    kind = t.choose(("bomber", "denim", "biker", "puffer"))
    full = 0.03 if kind == "puffer" else 0.0
    t.weave("quilted" if kind == "puffer" else "smooth")
    chest = t.width(0.48, 0.56) + 2 * full
    torso = Torso(chest + 0.01, chest, chest - 0.02, chest - 0.04, t.length(1.0, 1.3), 0.17, 0.1)
    sleeve = Sleeve(1.0, t.width(0.15, 0.19) + full, t.number(0.1, 0.13), 0.1, full)
    trim = (t.accent if t.chance(0.4) else t.cloth).plain()
    badge = motif(t, (0.26, 0.42), 0.06) if t.chance(0.3) else []
    banded, bottom = kind in ("bomber", "denim"), torso.length + 0.08
    layers = [*sleeves(t, torso, sleeve, trim if banded else None), *body(t, torso)]
    t.tell(trim="buttons" if kind == "denim" else "zip")
    layers += hem_band(t, torso, trim if kind == "bomber" else t.cloth)
    match kind:
        case "bomber":
            layers += [*zipper(t, 0.08, bottom), *slit_pockets(t, 0.3, torso.length - 0.3), *stand_collar(t, trim)]
        case "denim":
            layers += [*placket(t, 0.1, bottom), *buttons(t, 0.2, bottom - 0.05, 6)]
            layers += [*collar(t, torso, trim, (0.21, 0.25)), *flap_pockets(t, 0.24, 0.46, 0.11, 0.0)]
            layers += [Stroke(side, t.detail, 0.014, 0.03) for side in both(path((0.14, 0.55), (0.2, bottom)))]
        case "biker":
            layers += t.facing(Stroke(path((0.18, 0.2), (0.05, 0.6), (0.05, bottom)), t.detail, 0.03, dash=0.03))
            layers += lapels(t, Torso(chest, chest, chest, chest, 1.0, 0.17, 0.5), t.cloth, 0.16)
            layers += slit_pockets(t, 0.28, torso.length - 0.25, metal=True)
        case _:
            layers += [*zipper(t, -0.1, bottom), *stand_collar(t, t.cloth, 0.14)]
    return Garment(inside(t, torso), layers + t.facing(*badge))


def blazer(t: Tailor) -> Garment:
    """Lapels, one or two rows of buttons, flap pockets."""
    chest = t.width(0.45, 0.52)
    torso = Torso(
        shoulder=chest + 0.02,
        chest=chest,
        waist=chest - t.number(0.03, 0.1),
        hem=chest + t.number(0.0, 0.06),
        length=t.length(1.3, 1.6),
        neck=0.16,
        depth=t.number(0.6, 0.85),
        cut="v",
    )
    rows, wide, kerchief = t.choose(((0.0,), (0.0,), (0.14, -0.1))), t.number(0.13, 0.2), t.chance(0.3)
    facing = t.accent.plain() if t.chance(0.15) else t.cloth
    layers = [*sleeves(t, torso, Sleeve(1.0, t.width(0.14, 0.165), 0.1)), *body(t, torso)]
    layers += [
        *lapels(t, torso, facing, wide),
        *front_edge(t, torso.depth, torso.length, 0.1 if len(rows) > 1 else 0.02),
    ]
    t.tell(trim="buttons")
    for x in rows:
        layers += buttons(t, torso.depth + 0.08, torso.depth + 0.3, 2, x=x, radius=0.03)
    layers += flap_pockets(t, 0.28, 1.02, 0.12)
    if kerchief:
        layers += t.facing(Flat(path((0.2, 0.46), (0.32, 0.44), (0.31, 0.36), (0.26, 0.4), (0.22, 0.35)), t.detail))
    return Garment(inside(t, torso, t.accent.plain()), layers)


def coat(t: Tailor) -> Garment:
    """Long: wrapped with a belt, double-breasted, straight, or with a hood and toggles."""
    kind = t.choose(("wrap", "double", "straight", "duffle"))
    chest = t.width(0.47, 0.56)
    torso = Torso(
        shoulder=chest + 0.02,
        chest=chest,
        waist=chest - (0.08 if kind == "wrap" else 0.02),
        hem=chest + t.number(0.0, 0.14),
        length=t.length(1.9, 2.6),
        neck=0.17,
        depth=0.12 if kind == "duffle" else t.number(0.45, 0.7),
        cut="round" if kind == "duffle" else "v",
    )
    wide, facing = t.number(0.15, 0.22), t.accent.plain() if t.chance(0.2) else t.cloth
    layers = [*sleeves(t, torso, Sleeve(1.0, t.width(0.16, 0.19), 0.12)), *body(t, torso)]
    layers += flap_pockets(t, 0.3, 1.25, 0.12)
    t.tell(trim="belt" if kind == "wrap" else "buttons")
    if kind == "duffle":
        layers += [*placket(t, 0.12, torso.length, 0.06), *_toggles(t)]
        return Garment([], layers + hood(t, torso)) if t.pose.back else Garment(hood(t, torso), layers)
    depth = torso.depth
    layers += lapels(t, torso, facing, wide)
    layers += front_edge(t, depth, torso.length, {"wrap": 0.12, "double": 0.14}.get(kind, 0.0))
    match kind:
        case "wrap":
            layers += _belt(t, torso)
        case "double":
            for x in (0.17, -0.14):
                layers += buttons(t, depth + 0.12, depth + 0.75, 3, x=x, radius=0.045)
        case _:
            layers += buttons(t, depth + 0.1, depth + 0.8, 4, radius=0.04)
    return Garment(inside(t, torso, t.accent.plain()), layers)


def cardigan(t: Tailor) -> Garment:
    """Knitted, buttoned, with a deep V neck."""
    chest = t.width(0.45, 0.54)
    torso = Torso(chest, chest, chest - 0.02, chest, t.length(1.2, 1.75), 0.17, t.number(0.4, 0.65), "v")
    rib = (t.accent if t.chance(0.4) else t.cloth).plain()
    pockets, count = t.chance(0.6), t.choose((3, 4, 5))
    layers = [*sleeves(t, torso, Sleeve(1.0, t.width(0.15, 0.19), 0.095, 0.12), rib), *body(t, torso)]
    layers += hem_band(t, torso, rib, 0.07)
    t.tell(trim="buttons")
    edge = path((torso.neck, 0), (0.45 * torso.neck, 0.45 * torso.depth, 0, torso.depth), (0, torso.length + 0.07))
    layers += t.facing(*(Stroke(side, tint(rib.ground, 0.9), 0.075) for side in both(edge)))
    layers += buttons(t, torso.depth + 0.06, torso.length - 0.02, count, radius=0.03)
    for x in (0.25, -0.25) if pockets else ():
        layers += patch_pocket(t, x, torso.length - 0.32, 0.12, 0.24)
    return Garment(inside(t, torso), layers)


def _belt(t: Tailor, torso: Torso) -> list[Layer]:
    cloth = t.cloth.plain()
    belt = Cloth(rectangle(-torso.waist - 0.01, 0.93, torso.waist + 0.01, 1.04), cloth, light=0.85, volume=0.4)
    end = Cloth(rectangle(0.02, 0.98, 0.11, 1.5), cloth, light=0.88, volume=0.5)
    knot = Cloth(rectangle(-0.03, 0.9, 0.1, 1.07, 0.03), cloth, light=0.9)
    return [belt, *t.facing(end, knot)]


def _toggles(t: Tailor) -> list[Layer]:
    layers: list[Layer] = []
    for y in (0.45, 0.75, 1.05, 1.35):
        layers.append(Stroke(path((-0.15, y), (0.15, y)), t.thread, 0.03))
        layers.append(Stroke(path((-0.05, y), (0.05, y)), t.detail, 0.055))
    return t.facing(*layers)
