"""Street views: the garment is cut as it should be, and a view hangs on its picture, the seed, its kind and number."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.views.cut import garment, ground_colour
from pipeline.views.geometry import CORNERS, Geometry, warp
from pipeline.views.ground import border_strip, own_ground
from pipeline.views.light import Camera, Light
from pipeline.views.view import OWN_GROUND, STREET, Studio

SIDE = 64
STILL = Geometry(mirror=0, turn=0, scale=(1, 1), shift=0, corners=0)
SAME_LIGHT = Light(0, 0, 0, 0, 0)
SHARP = Camera(blur=0, quality=(95, 95))
CORNERS_OF_ALL = (CORNERS + 1) / 2


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def shirt() -> np.ndarray:
    """A red rectangle with a hole of the ground's colour, on white that is not quite even."""
    picture = np.full((SIDE, SIDE, 3), 250, dtype=np.uint8)
    picture += rng().integers(0, 5, size=picture.shape, dtype=np.uint8)
    picture[16:48, 20:44] = (200, 30, 40)
    picture[28:36, 28:36] = 252
    return picture


@pytest.fixture
def photos() -> list[np.ndarray]:
    """Streets of one colour each."""
    return [np.full((SIDE, SIDE, 3), colour, dtype=np.uint8) for colour in ((0, 90, 0), (0, 0, 120))]


def test_garment_is_what_does_not_hang_together_with_the_border(shirt):
    expected = np.zeros((SIDE, SIDE), dtype=bool)
    expected[16:48, 20:44] = True
    assert (garment(shirt) == expected).all(), "the hole is not ground: it may be a print"
    assert np.abs(ground_colour(shirt) - 252).max() <= 1
    shirt[:, :20] = (0, 200, 0)
    assert not garment(shirt)[:, 44:].any(), "two thirds of the border are even"
    assert garment(shirt)[:, :20].all()


def test_without_an_even_ground_nothing_is_cut(shirt):
    assert garment(rng().integers(0, 255, size=(SIDE, SIDE, 3), dtype=np.uint8)).all()
    assert garment(np.full((SIDE, SIDE, 3), 7, dtype=np.uint8)).all(), "all is ground"
    assert garment(shirt, tolerance=255).all()


def test_where_a_cut_would_leave_specks_nothing_is_cut():
    white = np.full((160, 160, 3), 255, dtype=np.uint8)
    white[40:120, 40:120] = 248  # a shirt that is as white as its ground
    white[70:90, 78:82] = (200, 30, 40)  # and its print, 0.3 % of the picture
    assert garment(white).all()
    speckled = white.copy()
    speckled[40:120:3, 40:120:3] = 230
    assert garment(speckled).all(), "3 % of it, which do not hang together"
    white[70:90, 70:96] = (200, 30, 40)  # 2.03 %
    assert garment(white).mean() == pytest.approx(20 * 26 / 160**2)


def test_warp_moves_corners_to_where_they_are_wanted(shirt):
    layer = np.dstack([shirt, np.full((SIDE, SIDE), 255, dtype=np.uint8)])
    assert (warp(layer, CORNERS_OF_ALL) == layer).all()
    mirrored = warp(layer, CORNERS_OF_ALL[[1, 0, 3, 2]])
    assert (mirrored == layer[:, ::-1]).all()
    half = warp(layer, CORNERS_OF_ALL / 2)
    assert (half[: SIDE // 2 - 1, : SIDE // 2 - 1, 3] == 255).all()
    assert not half[SIDE // 2 + 1 :, :, 3].any()
    assert not half[:, SIDE // 2 + 1 :, 3].any()


def test_what_was_cut_does_not_shine_through_at_the_edges():
    layer = np.zeros((SIDE, SIDE, 4), dtype=np.uint8)
    layer[..., :3] = 255
    layer[16:48, 16:48] = (200, 0, 0, 255)
    turned = warp(layer, Geometry(turn=20, mirror=0).draw(rng(3)))
    edge = (turned[..., 3] > 20) & (turned[..., 3] < 235)
    assert edge.sum() > 20
    assert turned[edge][:, 1:3].max() <= 12, "no white of the ground"


def test_geometry_is_drawn_as_it_says():
    draws = np.stack([Geometry(shift=0, corners=0).draw(rng(seed)) for seed in range(2000)])
    sides = np.linalg.norm(draws[:, 1] - draws[:, 0], axis=1)
    assert 0.75 <= sides.min() < 0.77
    assert 1.13 < sides.max() <= 1.15
    across = draws[:, 1] - draws[:, 0]
    assert (across[:, 0] < 0).mean() == pytest.approx(0.5, abs=0.04), "half of them are mirrored"
    turned = np.rad2deg(np.arctan(across[:, 1] / across[:, 0]))
    assert turned.std() == pytest.approx(8, rel=0.06)
    assert STILL.draw(rng()) == pytest.approx(CORNERS_OF_ALL)


@pytest.mark.parametrize("name", ["shift", "corners"])
def test_shift_moves_all_corners_alike_and_corners_each(name):
    moved = [replace(STILL, **{name: 0.03}).draw(rng(seed)) - CORNERS_OF_ALL for seed in range(1000)]
    assert np.std(moved) == pytest.approx(0.03, rel=0.1)
    assert (np.ptp(moved, axis=1).max() < 1e-12) == (name == "shift")


def test_border_strip_is_one_of_the_four_borders():
    photo = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    photo[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] = 255  # the garment
    photo[0], photo[-1], photo[1:-1, 0], photo[1:-1, -1] = 10, 20, 30, 40
    edges = [border_strip(photo, rng(seed))[0, SIDE // 2, 0] for seed in range(40)]
    assert set(edges) == {10, 20, 30, 40}
    for seed in range(8):
        strip = border_strip(photo, rng(seed))
        assert strip.shape == photo.shape
        assert not (strip == 255).any()


def test_light_and_camera_leave_what_they_are_told_to_leave(shirt):
    assert (SAME_LIGHT.fall(shirt, rng()) == shirt).all()
    assert np.abs(SHARP.take(shirt, rng()).astype(int) - shirt).mean() < 4
    for changed in ("exposure", "white_balance", "gamma", "contrast", "gradient"):
        assert (replace(SAME_LIGHT, **{changed: 0.3}).fall(shirt, rng()) != shirt).any(), changed
    brighter = replace(SAME_LIGHT, gradient=0.5).fall(np.full((SIDE, SIDE, 3), 120, dtype=np.uint8), rng(1))
    assert np.ptp(brighter.mean(axis=(1, 2))) + np.ptp(brighter.mean(axis=(0, 2))) > 10
    blurred, sharp = (replace(SHARP, blur=blur, radius=(0.05, 0.05)).take(shirt, rng()) for blur in (1, 0))
    assert np.abs(np.diff(blurred.astype(int), axis=0)).max() < np.abs(np.diff(sharp.astype(int), axis=0)).max() / 2
    coarse = Camera(blur=0, quality=(35, 35)).take(shirt, rng())
    assert np.abs(coarse.astype(int) - shirt).mean() > np.abs(sharp.astype(int) - shirt).mean()


def test_the_garment_is_laid_on_a_street_or_on_its_own_ground(shirt, photos):
    plain = Studio(photos, STILL, SAME_LIGHT, SHARP)
    views = list(plain.views(shirt, {STREET: 6, OWN_GROUND: 1}, seed=1, known="ab"))
    assert all(view.shape == shirt.shape and view.dtype == np.uint8 for view in views)
    for view in views:
        assert np.abs(view[20:26, 24:40].astype(int) - (200, 30, 40)).max() < 25, "the garment where it was"
    corners = np.stack([view[2, 2] for view in views]).astype(int)
    near = [tuple((np.abs(corners - colour).max(axis=1) < 25).tolist()) for colour in ((0, 90, 0), (0, 0, 120))]
    assert any(near[0])
    assert any(near[1])
    assert all(first or second for first, second in zip(near[0][:6], near[1][:6], strict=True))
    assert np.abs(corners[6] - own_ground(shirt)[0, 0]).max() < 10


def test_a_view_hangs_on_picture_seed_kind_and_number(shirt, photos):
    studio = Studio(photos)

    def views(seed: int = 1, known: str = "ab", **counts: int) -> list[bytes]:
        return [view.tobytes() for view in studio.views(shirt, counts, seed=seed, known=known)]

    few, many = views(street=2), views(own_ground=3, street=5)
    assert many[3:5] == few
    assert views(street=2) == few
    assert len({*many, *views(known="ac", street=2), *views(seed=2, street=2)}) == 12


def test_no_ground_is_taken_from_photos_of_the_own_garment(shirt, photos):
    plain, counts = Studio(photos, STILL, SAME_LIGHT, SHARP), {STREET: 12}

    def grounds(own: list[int]) -> set[int]:
        """Which photo each view has its ground from."""
        corners = [view[2, 2].astype(int) for view in plain.views(shirt, counts, seed=1, known="ab", own=own)]
        return {int(np.argmin([np.abs(corner - photo[0, 0]).max() for photo in photos])) for corner in corners}

    assert [grounds(own) for own in ([], [0], [1])] == [{0, 1}, {1}, {0}]
    assert grounds([0, 1]) == {0, 1}, "there is no other"
