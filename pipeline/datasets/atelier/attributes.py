"""What is said of a drawn item: five attributes in a few words each, whose measures are drawn continuously."""

from bisect import bisect
from typing import Any

SLEEVE, NECK, PATTERN, TRIM, LENGTH = ATTRIBUTES = ("sleeve", "neck", "pattern", "trim", "length")
IN_FRONT = frozenset({NECK, TRIM})  # what only the front of a garment shows
NO_SLEEVES = {SLEEVE: "sleeveless"}

# Where a garment ends, in body units from the shoulder: the waist is at 0.95, the hip at 1.32, the knee at 2.25.
REACHES = ((1.15, "waist"), (1.45, "hip"), (1.95, "thigh"), (2.35, "knee"), (2.75, "calf"))
LONGEST = "ankle"

PUFFED = 0.05  # fullness of a sleeve that shows
SLEEVES = ((0.25, "cap"), (0.7, "short"))
LONG_SLEEVE = "long"

# Patterns that differ in their measures alone have one name.
PATTERN_NAMES = {
    "plain": ("plain",),
    "stripes": ("stripes", "breton", "triple"),
    "upright stripes": ("pinstripe", "candy"),
    "checks": ("gingham", "tartan", "windowpane", "argyle"),
    "dots": ("dots",),
    "flowers": ("floral",),
    "zigzag": ("chevron",),
    "blotches": ("blotches", "leopard", "tie_dye"),
    "blocks": ("block", "band", "halves", "diagonal"),
    "gradient": ("gradient",),
}
PATTERN_OF = {pattern: name for name, patterns in PATTERN_NAMES.items() for pattern in patterns}


def reach(y: float) -> dict[str, str]:
    """The length of a garment that ends at `y` body units."""
    return {LENGTH: _named(y, REACHES, LONGEST)}


def sleeve(length: float, puff: float) -> dict[str, str]:
    """What a sleeve is called; `length` 1 ends at the wrist, `puff` is its fullness."""
    return {SLEEVE: "puffed" if puff >= PUFFED else _named(length, SLEEVES, LONG_SLEEVE)}


def _named(measure: float, names: Any, last: str) -> str:
    return [*(name for _, name in names), last][bisect([end for end, _ in names], measure)]
