"""Names in any script: a font that has them, or a number and a legend; never boxes, never a warning."""

import numpy as np
import pytest
from PIL import Image
from support.fonts import write_font

from pipeline.reporting import fonts
from pipeline.reporting.contact_sheet import ResultRow, contact_sheet
from pipeline.reporting.figures import Bar, category_bars
from pipeline.reporting.fonts import LEGEND, Labels, font_for

TOPS, SKIRTS, THAI = "上衣", "裙子", "ชุด"


@pytest.fixture
def installed(monkeypatch):
    """Called with the fonts that the machine is to have beside matplotlib's own."""

    def install(*found):
        monkeypatch.setattr(fonts, "_installed", lambda: found)
        font_for.cache_clear()

    install()
    yield install
    font_for.cache_clear()


@pytest.mark.parametrize("name", ["tops", "Röcke", "юбки", "φούστα", "تنورة", "", "a\u200db", "100 %\n7"])
def test_scripts_that_need_no_further_font(installed, name):
    assert font_for(name).name == "DejaVuSans.ttf"


def test_an_installed_font_is_found_by_its_characters(installed, tmp_path):
    damaged = tmp_path / "Damaged.ttf"
    damaged.write_bytes(b"no font")
    own = write_font(tmp_path / "Tops.ttf", f"{TOPS} 1")
    installed(damaged, own)
    assert font_for(TOPS) == own
    assert font_for(f"{TOPS} 1") == own
    assert font_for(SKIRTS) is None, "no font is better than one that draws boxes"
    assert font_for(TOPS + "é") is None, "it has to have them all"


def test_fonts_that_draw_anything_as_its_code_are_left_out(installed, tmp_path, monkeypatch):
    monkeypatch.undo()
    fonts._installed.cache_clear()
    found = [write_font(tmp_path / name, TOPS) for name in ("LastResort.ttf", "Emoji.ttf", "Song.ttf", "Sans.ttf")]
    monkeypatch.setattr(fonts.font_manager, "findSystemFonts", lambda: list(map(str, found)))
    try:
        assert [font.name for font in fonts._installed()] == ["Sans.ttf", "Song.ttf"]
    finally:
        fonts._installed.cache_clear()


def test_names_without_a_font_are_numbered(installed, tmp_path):
    installed(write_font(tmp_path / "Skirts.ttf", SKIRTS + fonts.BESIDE), write_font(tmp_path / "Thai.ttf", THAI))
    label = Labels()
    assert [label(name) for name in ("hats", TOPS, SKIRTS, THAI, TOPS)] == ["hats", "#1", SKIRTS, "#2", "#1"], (
        "a font of letters alone does not do: a number stands beside a name"
    )
    assert label.legend() == f"{LEGEND}\n#1 {TOPS}\n#2 {THAI}\n"
    assert Labels().legend() == ""


def test_figures_and_sheets_draw_with_the_font_they_found(installed, tmp_path, recwarn):
    def bars(path, **label) -> np.ndarray:
        category_bars({"baseline": {TOPS: Bar(0.5, 0.4, 0.6)}}, {TOPS: 3}, "mAP", path, **label)
        return np.asarray(Image.open(path).convert("RGB"))

    def sheet() -> np.ndarray:
        picture = Image.new("RGB", (30, 60), "blue")
        return np.asarray(contact_sheet(picture, TOPS, [ResultRow("baseline", [(picture, None)], TOPS)]))

    without, plain = bars(tmp_path / "number.png", label=Labels()), sheet()
    installed(write_font(tmp_path / "Tops.ttf", TOPS + fonts.BESIDE))
    found, drawn = bars(tmp_path / "drawn.png", label=Labels()), sheet()
    assert (without != found).any()
    assert (plain != drawn).any()
    assert not recwarn, "matplotlib warns of each character that it draws as a box"
