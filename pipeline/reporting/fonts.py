"""Names in any script: drawn with a font that is installed, or numbered, and never as boxes."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

OWN = "DejaVu Sans"  # which matplotlib brings along
LEGEND = "Names that no installed font can draw, as they are numbered in the pictures:"
BESIDE = "… (0123456789)"  # what a name may be shortened by, and the number of its queries
# A font that shows the code of any character has no glyph of it; those of emoji are pictures of one size.
NO_LETTERS = ("lastresort", "emoji")


@cache
def font_for(text: str) -> Path | None:
    """The font that has all characters of `text`: matplotlib's own, else one of those installed, else None."""
    wanted = {
        ord(character)
        for character in text
        if not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")
    }
    return next((font for font in _fonts() if wanted <= _characters(font)), None)


def is_drawable(name: str) -> bool:
    """Whether a font has the name and all that may stand beside it."""
    return font_for(name + BESIDE) is not None


class Labels:
    """What stands for a name in a picture: the name itself, or `#1`, `#2`, ... where no font has its characters."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        if is_drawable(name):
            return name
        return f"#{self._numbers.setdefault(name, len(self._numbers) + 1)}"

    def legend(self) -> str:
        """A line for each name that was numbered; empty when all could be drawn."""
        lines = [f"#{number} {name}" for name, number in self._numbers.items()]
        return "\n".join([LEGEND, *lines]) + "\n" if lines else ""


def _fonts() -> Iterable[Path]:
    yield Path(font_manager.findfont(OWN))
    yield from _installed()


@cache
def _installed() -> tuple[Path, ...]:
    """Plain faces without serifs first; the same order on every call."""
    found = {Path(font) for font in font_manager.findSystemFonts()}
    usable = [font for font in found if not any(word in font.name.lower() for word in NO_LETTERS)]
    return tuple(sorted(usable, key=lambda font: ("Sans" not in font.name, "Regular" not in font.name, str(font))))


@cache
def _characters(font: Path) -> frozenset[int]:
    """Code points of the font; none of what FreeType cannot read."""
    try:
        return frozenset(FT2Font(str(font)).get_charmap())
    except (RuntimeError, OSError):
        return frozenset()
