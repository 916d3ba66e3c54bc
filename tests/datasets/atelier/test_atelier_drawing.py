"""The drawing code: curves by hand, every silhouette and pattern, and that an item stays the same item."""

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets.atelier import curves
from pipeline.datasets.atelier.canvas import Canvas, View
from pipeline.datasets.atelier.catalogue import SILHOUETTES, SOURCE_CATEGORIES, TARGET_CATEGORIES
from pipeline.datasets.atelier.cloth.fabric import Fabric, brightness, colour, tint
from pipeline.datasets.atelier.cloth.materials import CLOTHS, choose_materials
from pipeline.datasets.atelier.cloth.patterns import PATTERNS, WEAVES
from pipeline.datasets.atelier.garments.tailor import Pose, Tailor
from pipeline.datasets.atelier.items import Item
from pipeline.datasets.atelier.scene.camera import distort, lay
from pipeline.datasets.atelier.scene.consumer import consumer_picture
from pipeline.datasets.atelier.scene.floors import FLOORS
from pipeline.datasets.atelier.scene.layers import Cloth, Flat, Garment, Stroke, placed
from pipeline.datasets.atelier.scene.rooms import ROOMS
from pipeline.datasets.atelier.scene.shop import shop_picture
from pipeline.datasets.atelier.styles import SOURCE, TARGET

SQUARE = curves.rectangle(-1, -1, 1, 1)
POSES = (Pose(), Pose(back=True), Pose(arms=(0.1, 0.9), elbows=(-0.8, 0.2), legs=(0.0, 0.15)))


def canvas(side: int = 40) -> Canvas:
    return Canvas(View((0.0, 0.0), 2.0), np.ones((side, side), np.float32), (0.0, -1.0))


def test_path_follows_lines_and_quadratic_curves():
    points = curves.path((0, 0), (2, 0), (2, 2, 0, 2))
    assert points[:2].tolist() == [[0, 0], [2, 0]]
    # at t = 1/2 a quadratic curve is a quarter of each end and half of the control point
    assert points[1 + curves.STEPS // 2] == pytest.approx([0.25 * 2 + 0.5 * 2 + 0, 0 + 0.5 * 2 + 0.25 * 2])
    assert points[-1].tolist() == [0, 2]


def test_symmetric_outline_is_its_own_mirror_image():
    outline = curves.symmetric((0, 0), (1, 0), (1.5, 1, 0, 2))
    assert np.allclose(outline, curves.mirror(outline)[::-1])


def test_tube_around_a_straight_spine_is_a_rectangle():
    outline = curves.tube(curves.path((0, 0), (0, 1)), 0.5)
    assert sorted(map(tuple, outline.tolist())) == [(-0.5, 0), (-0.5, 1), (0.5, 0), (0.5, 1)]


def test_limb_passes_through_the_elbow_and_ends_at_the_wrist():
    arm = curves.limb(np.array([0.0, 0.0]), np.pi / 2, -np.pi / 2, 1.0, 2.0)
    assert arm[len(arm) // 2] == pytest.approx([1, 0])
    assert arm[-1] == pytest.approx([1, 2])


def test_placed_layers_are_scaled_turned_and_moved():
    line = Stroke(curves.path((0, 0), (1, 0)), (0, 0, 0), width=0.1)
    (moved,) = placed([line], (5, 5), size=2, angle=np.pi / 2)
    assert moved.points == pytest.approx(np.array([(5, 5), (5, 7)]))
    assert moved.width == 0.2


def test_cloth_covers_its_outline_and_nothing_else():
    page = canvas()
    page.draw([Cloth(SQUARE, Fabric(((200, 0, 0),)))])
    alpha = np.asarray(page.image().getchannel("A"))
    inside = np.zeros((40, 40), bool)
    inside[10:31, 10:31] = True  # 20 pixels for 2 units; Pillow's polygons include their far edge
    assert ((alpha == 255) == inside).all()


def test_layers_outside_the_view_leave_no_trace():
    page = canvas()
    far = curves.moved(SQUARE, 50, 0)
    page.draw([Cloth(far, Fabric(((1, 2, 3),))), Flat(far, (1, 2, 3)), Stroke(far, (1, 2, 3))])
    assert page.image().getextrema()[3] == (0, 0)


def test_later_layers_lie_above_earlier_ones():
    page = canvas()
    page.draw([Flat(SQUARE, (255, 0, 0)), Flat(SQUARE, (0, 0, 255))])
    assert page.image().getpixel((20, 20)) == (0, 0, 255, 255)


def test_view_of_a_garment_gives_it_the_asked_share_of_the_frame():
    view = View.of(Garment([], [Flat(curves.rectangle(0, 0, 1, 4), (0, 0, 0))]), 0.5)
    assert view == View((0.5, 2.0), 4.0)


def test_distort_shows_what_lies_at_the_place_asked_for():
    ramp = np.broadcast_to(4 * np.arange(60, dtype=np.uint8), (60, 60))
    picture = Image.fromarray(np.stack([ramp, ramp.T], axis=-1)[..., [0, 1, 0]])
    same = np.asarray(distort(picture, 60, lambda points: points), dtype=int)
    assert np.abs(same - np.asarray(picture, dtype=int)).max() <= 1  # rounding
    smaller = np.asarray(distort(picture, 60, lambda points: points / 2), dtype=int)
    assert smaller[30, 10, :2] == pytest.approx([4 * 20, 4 * 30], abs=3)  # 20 left of the middle shows what is 10 left


@pytest.mark.parametrize("drop", [(8, 0), (-8, 0), (0, 8)])
def test_shadow_falls_to_one_side_and_not_off_the_other_edge(drop):
    picture = Image.new("RGBA", (40, 40))
    picture.paste((255, 0, 0, 255), (0, 10, 40, 30))
    laid = np.asarray(lay(picture, Image.new("RGB", (40, 40), (200, 200, 200)), drop=drop, soft=0.1, depth=0.5))
    assert (laid[10:30, :] == (255, 0, 0)).all()
    assert (laid[:10] == 200).all()
    assert (laid[30:] < 200).any() == (drop[1] > 0)


def test_colours():
    assert colour("#ff8000") == (255, 128, 0)
    assert tint((100, 200, 0), 0.5) == (50, 100, 0)
    assert tint((55, 155, 255), 2) == (155, 205, 255)
    assert brightness((255, 255, 255)) == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_every_pattern_gives_shares_of_colours_and_shows(name):
    u, v = np.meshgrid(np.linspace(-1, 1, 60), np.linspace(0, 1, 60))
    if name not in ("block", "band", "diagonal", "halves", "gradient", "tie_dye"):
        u, v = 6 * u, 6 * v
    weights = PATTERNS[name](u, v, 0.4)
    assert len(weights) <= 2
    for weight in weights:
        assert weight.shape == u.shape
        assert 0 <= weight.min() < weight.max() <= 1


@pytest.mark.parametrize("name", sorted(WEAVES))
def test_every_weave_only_modulates_the_light(name):
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 50, dtype=np.float32), np.linspace(0, 1, 50, dtype=np.float32))
    cloth = Fabric(((100, 100, 100),), weave=name).colour_at(x, y)
    assert cloth.shape == (50, 50, 3)
    assert cloth.dtype == np.float32
    assert 70 <= cloth.min() <= cloth.max() <= 125


def test_pattern_follows_the_grain():
    x, y = np.meshgrid(np.linspace(0, 1, 50), np.linspace(0, 1, 50))
    stripes = Fabric(((0, 0, 0), (255, 255, 255)), "stripes", period=0.5)
    upright, lying = stripes.colour_at(x, y)[..., 0], stripes.colour_at(x, y, np.pi / 2)[..., 0]
    assert (upright.std(axis=1) == 0).all()
    assert (lying.std(axis=0) == 0).all()


def test_all_names_are_known():
    patterns = {name for kind in CLOTHS.values() for name in (*kind.common.split(), *kind.rare.split())}
    assert patterns <= set(PATTERNS)
    assert {name for kind in CLOTHS.values() for name in kind.weaves.split()} <= set(WEAVES)
    assert {silhouette.cloth for silhouette in SILHOUETTES.values()} <= set(CLOTHS)
    for style in (SOURCE, TARGET):
        assert style.favourites <= patterns
        assert set(style.rooms) <= set(ROOMS)
        assert set(style.floors) <= set(FLOORS)
    named = {*SOURCE_CATEGORIES, *(name for names in TARGET_CATEGORIES.values() for name in names)}
    assert named == set(SILHOUETTES)


@pytest.mark.parametrize("kind", sorted(CLOTHS))
def test_a_pattern_stands_out_from_its_ground(kind):
    for seed in range(20):
        materials = choose_materials(np.random.default_rng(seed), TARGET, kind, 0.0, 1.0)
        ground, second = materials.cloth.colours[:2]
        assert max(abs(a - b) for a, b in zip(ground, second, strict=True)) > 30


@pytest.mark.parametrize("name", sorted(SILHOUETTES))
def test_measures_do_not_depend_on_the_pose(name):
    """A silhouette takes the same draws from its generator in every pose, so an item keeps its shape."""
    for number in range(12):
        item, states = Item((7, number), name, TARGET), []
        for pose in POSES:
            rng = np.random.default_rng(number)
            garment = item.kind.draw(Tailor(rng, TARGET.proportions, item.materials, pose))
            states.append(rng.bit_generator.state)
            x0, y0, x1, y1 = garment.bounds()
            assert 0.3 < x1 - x0 < 4
            assert 0.2 < y1 - y0 < 4
        assert all(state == states[0] for state in states)


@pytest.mark.parametrize("name", sorted(SILHOUETTES))
def test_items_of_a_silhouette_differ(name):
    items = [Item((0, number), name, SOURCE) for number in range(10)]
    assert len({item.garment(Pose()).bounds() for item in items}) > 5
    assert len({item.materials for item in items}) == 10


def test_consumer_pictures_look_more_like_their_own_shop_picture_than_like_others():
    """Item identity survives pose, light and clutter: the colours in the middle alone find it far above chance."""

    def middle(content: bytes) -> np.ndarray:
        pixels = np.asarray(Image.open(io.BytesIO(content)), dtype=float)[20:44, 20:44]
        return pixels.reshape(6, 4, 6, 4, 3).mean(axis=(1, 3)).reshape(36, 3).mean(axis=0)

    items = [Item((1, n), SOURCE_CATEGORIES[n % len(SOURCE_CATEGORIES)], SOURCE) for n in range(60)]
    shop = np.stack(
        [middle(shop_picture(item, np.random.default_rng(n), 64, first=True).jpeg) for n, item in enumerate(items)]
    )
    seen = np.stack([middle(consumer_picture(item, np.random.default_rng(n), 64).jpeg) for n, item in enumerate(items)])
    distances = np.linalg.norm(seen[:, None] - shop[None], axis=-1)
    ranks = (distances < np.diagonal(distances)[:, None]).sum(axis=1)
    assert np.median(ranks) < 10  # chance: 30
