"""Contact sheets: the frames tell the truth, odd input does no harm, the bytes are stable."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import UserError
from pipeline.reporting.contact_sheet import RIGHT, UNKNOWN, WRONG, ResultRow, contact_sheet, write_sheet

BLUE = Image.new("RGB", (30, 60), "blue")


def row(right: list[bool | None], model: str = "baseline") -> ResultRow:
    return ResultRow(model, [(BLUE, r) for r in right], "")


def n_frames(sheet: Image.Image, colour: tuple[int, int, int]) -> int:
    """Tiles whose frame has `colour`, by the pixels of the colour's lowest tile edges: runs along a row of pixels."""
    is_colour = (np.asarray(sheet) == colour).all(axis=-1)
    starts = is_colour & ~np.roll(is_colour, 1, axis=1)
    lower_edge = is_colour & ~np.roll(is_colour, -1, axis=0)
    long_runs = [
        sum(lower_edge[y, x : x + 112].all() for x in np.flatnonzero(starts[y])) for y in range(is_colour.shape[0])
    ]
    return sum(long_runs)


def test_right_and_wrong_frames_are_those_of_the_results():
    sheet = contact_sheet(BLUE, "dress\nitem 7", [row([False, True, False, True]), row([True, False, False], "viewed")])
    assert n_frames(sheet, RIGHT) == 3
    assert n_frames(sheet, WRONG) == 4


def test_only_the_first_ten_are_shown():
    sheet = contact_sheet(BLUE, "dress", [row([False] * 14)])
    assert n_frames(sheet, WRONG) == 10


def test_the_size_depends_on_the_number_of_rows_only():
    few, many = (contact_sheet(BLUE, "dress", [row([True] * n)] * 2) for n in (1, 10))
    assert few.size == many.size
    assert contact_sheet(BLUE, "dress", [row([True])] * 4).height > few.height
    assert contact_sheet(BLUE.resize((500, 9)), "x" * 500, [row([True], "m" * 500)] * 2).size == few.size


def test_the_query_keeps_its_proportions():
    sheet = np.asarray(contact_sheet(BLUE, "", [row([])]))
    blue = (sheet == (0, 0, 255)).all(axis=-1)
    rows, columns = np.flatnonzero(blue.any(axis=1)), np.flatnonzero(blue.any(axis=0))
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(2, rel=0.02)


def test_a_folder_is_no_picture(tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday/photo.jpg").write_text("kept")
    with pytest.raises(UserError, match="holiday: a folder; name a PNG file"):
        write_sheet(tmp_path / "holiday", contact_sheet(BLUE, "", []))
    assert (tmp_path / "holiday/photo.jpg").read_text() == "kept"


def test_note_and_caption_are_written():
    def sheet(caption: str, note: str) -> bytes:
        return contact_sheet(BLUE, caption, [ResultRow("baseline", [(BLUE, False)], note)]).tobytes()

    variants = {
        sheet("a", "17"),
        sheet("a", "18"),
        sheet("a", ""),
        sheet("b", "17"),
        sheet("", "17"),
        sheet("a\nb", "17"),
    }
    assert len(variants) == 6


def test_what_nobody_knows_to_be_right_has_a_frame_of_its_own():
    sheet = contact_sheet(BLUE, "dress", [row([None, None, True])])
    assert n_frames(sheet, UNKNOWN) == 2
    assert n_frames(sheet, RIGHT) == 1


def test_what_a_model_looked_at_stands_before_the_results_and_texts_below():
    plain = contact_sheet(BLUE, "", [row([True])] * 3)
    looked = ResultRow("m", [(BLUE, True)], "", ["deep"], [(BLUE, "attention"), (BLUE.convert("L"), "crop")])
    sheet = contact_sheet(BLUE, "", [looked, row([True, False]), row([True])])
    assert sheet.width > plain.width
    assert sheet.height > plain.height
    assert (n_frames(sheet, RIGHT), n_frames(sheet, WRONG)) == (3, 1)
    other = contact_sheet(BLUE, "", [replace(looked, texts=["high"]), row([True, False]), row([True])])
    assert sheet.tobytes() != other.tobytes()


def test_no_rows_and_other_modes():
    assert contact_sheet(BLUE.convert("L"), "", []).mode == "RGB"
    assert contact_sheet(BLUE, "", [ResultRow("m", [(BLUE.convert("RGBA"), True)], "")]).mode == "RGB"


def test_bytes_are_stable(tmp_path):
    for name in ("a/query_000001.png", "b/query_000001.png"):
        write_sheet(tmp_path / name, contact_sheet(BLUE, "dress", [row([True, False])]))
    first, second = tmp_path / "a/query_000001.png", tmp_path / "b/query_000001.png"
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == [first.name]
