"""Views as pooled features: the same rows however they are drawn, and drawn once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support.conditioned import ConditionedNetwork

from pipeline.features.viewing import ViewedPictures, own_photos, rows_to_view, street_rows, view_chunks, viewed_parts
from pipeline.images.loading import Pictures
from pipeline.images.transforms import framed, normalize
from pipeline.models.embedder import build_embedder
from pipeline.params.finetune import ModelParams
from pipeline.params.views import ViewsParams
from pipeline.views.view import AUGMENT, KINDS, STREET, Studio

CPU, SIDE, PICTURES = torch.device("cpu"), 32, 5
PARAMS = ModelParams(
    backbone="timm/resnet10t",
    pooling="avg",
    gem_p=3.0,
    norm_features=False,
    embedding_dim=8,
    image_size=SIDE,
    crop_from="whole",
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_embedder(PARAMS).eval()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder of five pictures on an even ground, their table, and a studio."""
    raw, rng = tmp_path_factory.mktemp("raw"), np.random.default_rng(0)
    for number in range(PICTURES):
        picture = np.full((40, 40, 3), 240, np.uint8)
        picture[8:32, 10:30] = rng.integers(0, 255, (24, 20, 3))
        Image.fromarray(picture).save(raw / f"{number}.png")
    rows = [(f"{number}.png", f"kind{number % 2}", f"{number:032x}") for number in range(PICTURES)]
    table = pd.DataFrame(rows, columns=["image", "category", "digest"]).assign(**dict.fromkeys("xywh", np.nan))
    return raw, table, Studio(rng.integers(0, 255, (3, SIDE, SIDE, 3), dtype=np.uint8))


def views_of(network, world, kept, *, kind=STREET, count=2, seed=0, workers=0, batch_size=4, chunk_rows=3, own=None):
    """Pooled views (N, K, P), by way of the cache in `kept`."""
    raw, table, studio = world
    wanted = network.input
    pictures = Pictures(table, raw, framed(wanted), wanted.decoded_side, network.conditions(table))
    viewed = ViewedPictures(pictures, table["digest"].tolist(), own or [()] * len(table), studio, kind, count, seed)
    sizes = {"chunk_rows": chunk_rows, "batch_size": batch_size, "workers": workers}
    rows = np.concatenate(list(view_chunks(network, viewed, kept, table, device=CPU, **sizes)))
    return rows.reshape(len(table), count, -1)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_pooled_views_of_the_picture_alone(network, world, tmp_path, kind):
    raw, table, studio = world
    made = views_of(network, world, tmp_path, kind=kind)
    assert made.dtype == np.float32
    shown = Pictures(table, raw, framed(network.input), SIDE)
    for place, digest in enumerate(table["digest"]):
        views = np.stack(list(studio.views(shown[place], {kind: 2}, seed=0, known=digest)))
        with torch.no_grad():
            expected = network.pool(normalize(torch.from_numpy(views), network.input))
        np.testing.assert_allclose(made[place], expected, atol=1e-5)


def test_views_do_not_hang_on_workers_batches_and_chunks(network, world, tmp_path):
    made = views_of(network, world, tmp_path / "a")
    np.testing.assert_array_equal(views_of(network, world, tmp_path / "b", workers=2), made)
    np.testing.assert_allclose(views_of(network, world, tmp_path / "c", batch_size=1), made, atol=1e-5)
    np.testing.assert_allclose(views_of(network, world, tmp_path / "d", batch_size=64, chunk_rows=9), made, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_of_more_views_are_those_of_fewer(network, world, tmp_path, kind):
    few, many = (views_of(network, world, tmp_path, kind=kind, count=count) for count in (2, 4))
    np.testing.assert_allclose(many[:, :2], few, atol=1e-5)
    assert abs(many[:, 2:] - few).max() > 1e-3


def test_all_views_of_a_picture_have_its_condition(world, tmp_path):
    torch.manual_seed(0)
    settings = {"column": "category", "values": ["kind0", "kind1"], "image_size": SIDE, "embedding_dim": 4}
    network = ConditionedNetwork(settings | {"norm_features": False}).eval()
    told = views_of(network, world, tmp_path, kind=AUGMENT)
    with torch.no_grad():
        known = network.known(torch.from_numpy(network.conditions(world[1]))).numpy()
    blind = ConditionedNetwork(network.settings).eval()
    blind.load_state_dict(network.state_dict() | {"known.weight": torch.zeros_like(network.known.weight)})
    left = told - views_of(blind, world, tmp_path, kind=AUGMENT)
    np.testing.assert_allclose(left, np.repeat(known[:, None], 2, axis=1), atol=1e-5)


def test_what_was_drawn_is_not_drawn_again(network, world, tmp_path, monkeypatch):
    drawn, view = [], Studio._view
    monkeypatch.setattr(Studio, "_view", lambda self, *known: drawn.append(1) or view(self, *known))
    first = views_of(network, world, tmp_path)
    assert len(drawn) == 2 * PICTURES
    np.testing.assert_array_equal(views_of(network, world, tmp_path), first)
    assert len(drawn) == 2 * PICTURES
    views_of(network, world, tmp_path, count=3)
    assert len(drawn) == 5 * PICTURES
    other = (*world[:2], replace(world[2], photos=world[2].photos[::-1]))
    own = [[0], [1], [2], [0], [1]]
    for shown, changes in ((world, {"seed": 1}), (world, {"kind": AUGMENT}), (other, {}), (world, {"own": own})):
        assert abs(views_of(network, shown, tmp_path, **changes) - first).max() > 1e-3


SECTION = {"kinds": ["street"], "number": 2, "items": 2, "photos": 2, "parts": "auto"}


@pytest.fixture
def table():
    """Of the source four items with a photo and two shop pictures each, and one without photos; a target to search."""
    rows = [(f"i{n}", "source", "train", domain) for n in range(4) for domain in ("consumer", "shop", "shop")]
    rows += [("lone", "source", "train", "shop"), ("t0", "target", "query", "consumer")]
    rows += [("t0", "target", "gallery", "shop"), ("t1", "target", "query", "shop")]
    return pd.DataFrame(rows, columns=["item", "meta_domain", "split", "domain"]).assign(category="shirt")


def test_of_the_source_items_are_viewed_that_can_be_chosen_by(table):
    params = ViewsParams(**SECTION)
    shown = table.iloc[rows_to_view(table, "source_train", params, seed=0)]
    assert (len(shown), shown["item"].nunique(), set(shown["domain"])) == (4, 2, {"shop"})
    every = table.iloc[rows_to_view(table, "source_train", params.model_copy(update={"items": 99}), seed=0)]
    assert (len(every), "lone" in set(every["item"])) == (8, False)
    assert rows_to_view(table, "target_test", params, seed=0).tolist() == [14], "queries are not searched"


def test_parts_that_are_viewed(table):
    params = ViewsParams(**SECTION)
    assert viewed_parts(table, params) == ("source_train", "target_test")
    assert viewed_parts(table[table["domain"] == "shop"], params) == (), "nothing to choose by"
    assert viewed_parts(table, ViewsParams(**SECTION | {"parts": ["target_train"]})) == ("target_train",)


def test_a_picture_of_the_source_knows_which_streets_are_its_own_items(table):
    streets, rows = street_rows(table, 99, seed=0), np.arange(len(table))
    assert streets.tolist() == [0, 3, 6, 9]
    assert [own.tolist() for own in own_photos(table, rows, streets)] == (
        [[0]] * 3 + [[1]] * 3 + [[2]] * 3 + [[3]] * 3 + [[]] * 4
    )
    alike = table.assign(item=table["item"].replace("t0", "i0"))
    assert not any(map(len, own_photos(alike, rows[-3:], streets))), "items of the target are not looked at"
