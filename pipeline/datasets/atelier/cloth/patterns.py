# ruff: noqa: ARG001, ARG005 - all patterns are called alike
"""Patterns of cloth and the relief of its weave, as functions of the place on the cloth.

A pattern takes the place (u across, v along) in repeats of the pattern, or in shares of the garment for those in
GARMENT_WIDE, and the item's own `phase` from 0 to 1. It gives one weight from 0 to 1 for each colour after the ground.
"""

from collections.abc import Callable

import numpy as np

Weights = list[np.ndarray]


def _within(x: np.ndarray, share: float) -> np.ndarray:
    """1 in the first `share` of every unit of x."""
    return (x % 1.0) < share


def _tile(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from the centres of tiles set like bricks, each -0.5 to 0.5."""
    row = np.floor(v)
    return (u + 0.5 * (row % 2)) % 1.0 - 0.5, v - row - 0.5


def _waves(u: np.ndarray, v: np.ndarray, phase: float) -> np.ndarray:
    """Smooth noise, about -1 to 1."""
    a = 9.0 * phase
    bent = v + 0.5 * np.sin(1.7 * u + a)
    return 0.6 * np.sin(2.6 * u + 1.3 * np.sin(2.1 * bent + a)) + 0.5 * np.sin(3.3 * bent + 1.1 * np.cos(2.3 * u - a))


def _plain(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return []


def _stripes(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [_within(v, 0.5)]


def _breton(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [_within(v, 0.3)]


def _triple(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [_within(v / 2, 0.34), _within(v / 2 + 0.5, 0.34)]


def _pinstripe(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [0.85 * _within(u, 0.22)]


def _candy(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [_within(u, 0.5)]


def _gingham(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [0.5 * _within(u, 0.5) + 0.5 * _within(v, 0.5)]


def _tartan(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    broad = 0.45 * _within(u / 1.6, 0.45) + 0.45 * _within(v / 1.6, 0.45)
    fine = np.maximum(_within(u / 1.6 - 0.68, 0.1), _within(v / 1.6 - 0.68, 0.1))
    return [broad, 0.85 * fine]


def _windowpane(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [0.9 * np.maximum(_within(u / 1.5, 0.14), _within(v / 1.5, 0.14))]


def _dots(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    a, b = _tile(u, v)
    return [a**2 + b**2 < 0.075]


def _floral(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    a, b = _tile(u / 1.5, v / 1.5)
    radius, angle = np.hypot(a, b), np.arctan2(b, a) + 7 * phase
    leaf = np.hypot(a - 0.33, (b - 0.3) * 1.8) < 0.14
    petals = radius < 0.26 + 0.11 * np.cos(5 * angle)
    return [petals, np.maximum(leaf, radius < 0.1)]


def _chevron(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [_within(v + np.abs(u % 1.0 - 0.5), 0.42)]


def _argyle(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    a, b = np.abs((u / 1.6) % 1.0 - 0.5), np.abs((v / 2.2) % 1.0 - 0.5)
    line = np.abs(((u / 1.6 + 0.5) % 1.0) - (v / 2.2 % 1.0)) < 0.045
    return [a + b < 0.36, line]


def _blotches(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [_waves(0.5 * u, 0.5 * v, phase) > 0.25, _waves(0.6 * u + 4, 0.6 * v - 3, phase + 0.3) > 0.5]


def _leopard(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    a, b = _tile(u, v)
    ring = np.hypot(a + 0.08 * np.sin(5 * v), b + 0.1 * np.cos(4 * u + phase))
    return [(ring > 0.16) & (ring < 0.34), ring <= 0.16]


def _gradient(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [np.clip((v - 0.15 - 0.2 * phase) / 0.6, 0, 1)]


def _block(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [v > 0.3 + 0.3 * phase]


def _band(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    top = 0.22 + 0.25 * phase
    return [(v > top) & (v < top + 0.24), (v > top + 0.09) & (v < top + 0.15)]


def _halves(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    return [u > 0]


def _diagonal(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    across = v + 0.8 * u * (1 if phase > 0.5 else -1)
    return [across > 0.4, (across > 0.4) & (across < 0.48)]


def _tie_dye(u: np.ndarray, v: np.ndarray, phase: float) -> Weights:
    radius, angle = np.hypot(u, v - 0.35), np.arctan2(v - 0.35, u)
    swirl = np.sin(26 * radius + 3 * angle + 6 * phase)
    return [np.clip(0.5 + 0.8 * swirl, 0, 1), np.clip(np.cos(17 * radius + 2 * angle) - 0.35, 0, 1)]


Pattern = Callable[[np.ndarray, np.ndarray, float], Weights]
PATTERNS: dict[str, Pattern] = {
    "plain": _plain, "stripes": _stripes, "breton": _breton, "triple": _triple, "pinstripe": _pinstripe,
    "candy": _candy, "gingham": _gingham, "tartan": _tartan, "windowpane": _windowpane, "dots": _dots,
    "floral": _floral, "chevron": _chevron, "argyle": _argyle, "blotches": _blotches, "leopard": _leopard,
    "gradient": _gradient, "block": _block, "band": _band, "halves": _halves, "diagonal": _diagonal,
    "tie_dye": _tie_dye,
}  # fmt: skip
GARMENT_WIDE = frozenset({"gradient", "block", "band", "halves", "diagonal", "tie_dye"})

Relief = Callable[[np.ndarray, np.ndarray], np.ndarray]
WEAVES: dict[str, Relief | None] = {
    "smooth": None,
    "rib": lambda u, v: 1 + 0.07 * np.sin(2 * np.pi * u / 0.045),
    "cable": lambda u, v: 1 + 0.1 * np.sin(2 * np.pi * u / 0.12 + 1.2 * np.sin(2 * np.pi * v / 0.1)),
    "denim": lambda u, v: 1 + 0.05 * np.sin(2 * np.pi * (u + v) / 0.028) * np.cos(2 * np.pi * (u - 0.3 * v) / 0.07),
    "quilted": lambda u, v: 0.8 + 0.28 * np.abs(np.sin(np.pi * v / 0.11)) ** 0.6,
    "diamond": lambda u, v: 0.86 + 0.2 * np.abs(np.sin(np.pi * (u + v) / 0.16) * np.sin(np.pi * (u - v) / 0.16)) ** 0.4,
}
