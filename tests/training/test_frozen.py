"""A frozen backbone: trained on features as on the pictures they are made from, and left as it is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support.conditioned import ConditionedNetwork
from support.project import default_params
from torch.utils.data import DataLoader

from pipeline.base.params import parse_section
from pipeline.base.runtime import RuntimeParams
from pipeline.features.cache import PooledCache
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform
from pipeline.params.finetune import FinetuneParams
from pipeline.training.batches import PictureRows
from pipeline.training.context import TrainingContext, load_recipe
from pipeline.training.fabric import start_fabric
from pipeline.training.face import KEPT
from pipeline.training.frozen import FrozenFeatures
from pipeline.training.networks import set_up

CHANGES = {
    "triplet": {"batch_items": 4},
    "category_triplet": {"batch_size": 8, "triplets": 4, "frozen_epochs": 1},
    "dada": {"batch_size": 8, "discriminator_epochs": 1, "head_epochs": 2},
    "margin_softmax": {"batch_size": 8, "centres": 2, "margin": 0.2},
}
SIZE = 32


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Eight items of two categories, with two pictures of either domain, and one more item held out."""
    raw, rng, rows = tmp_path_factory.mktemp("raw"), np.random.default_rng(0), []
    for k in range(36):
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(raw / f"{k}.png")
        rows.append((f"{k}.png", f"item{k // 4}", f"kind{k // 16}", ("consumer", "shop")[k % 2], "a", f"{k:032x}"))
    made = pd.DataFrame(rows, columns=["image", "item", "category", "domain", "dataset", "digest"])
    return raw, made.assign(**dict.fromkeys("xywh", np.nan))


def make(world, cache, name="triplet", *, views=0, batch_size=5, output="none"):
    """A recipe on the frozen features of the first 32 pictures, and what it was built from."""
    (raw, source), params = world, default_params()
    params["recipes"][name] |= CHANGES[name]
    params["finetune"]["model"] |= {"embedding_dim": 8, "image_size": SIZE, "frozen": True, "output": output}
    params["finetune"]["augment"] |= {"views": views}
    common = parse_section(params["finetune"], "finetune", FinetuneParams)
    runtime = params["runtime"] | {"workers": 0, "chunk_rows": 10, "batch_size": batch_size}
    runtime = parse_section(runtime, "runtime", RuntimeParams)
    fabric = start_fabric("cpu", "32-true")
    module, section = load_recipe(params, name)
    torch.manual_seed(0)
    frozen = FrozenFeatures(source, raw, cache, runtime, fabric.device, 1, views)
    context = TrainingContext(source[:32], raw, common, seed=1, workers=0, fabric=fabric, frozen=frozen)
    recipe = module.build(context, section)
    set_up(recipe, fabric)
    return recipe, context


def train(recipe, epochs=4):
    for epoch in range(epochs):
        batches = recipe.n_batches(epoch)
        for index, batch in enumerate(recipe.batches(epoch, 0)):
            torch.manual_seed(epoch * 100 + index)
            recipe.step(batch, epoch + index / batches)
    return {name: value.clone() for name, value in recipe.networks[KEPT].state_dict().items()}


def test_what_a_network_is_told_beside_a_picture_is_part_of_its_features(world, tmp_path):
    raw, source = world
    _, context = make(world, tmp_path)
    settings = {"column": "category", "values": ["kind0", "kind1"], "image_size": SIZE}
    network = ConditionedNetwork(settings | {"embedding_dim": 4, "norm_features": False}).eval()
    transform = inference_transform(network.input)
    made = context.frozen.plain(network, source, transform, SIZE)
    pictures = Pictures(source, raw, transform, SIZE, network.conditions(source))
    with torch.no_grad():
        expected = torch.cat([network.pool(inputs) for inputs in DataLoader(pictures, batch_size=6)])
    torch.testing.assert_close(made, expected)
    told_otherwise = source.assign(category="kind1")
    frozen = replace(context.frozen, source=told_otherwise)
    assert not torch.allclose(frozen.plain(network, told_otherwise, transform, SIZE)[:8], made[:8])


@pytest.mark.parametrize("name", CHANGES)
def test_features_train_the_weights_that_pictures_train(world, tmp_path, name):
    recipe, _ = make(world, tmp_path, name)
    before = {key: value.clone() for key, value in recipe.networks[KEPT].state_dict().items()}
    by_features = train(recipe)
    recipe, context = make(world, tmp_path, name)
    wanted = recipe.embedder.input
    plain = inference_transform(wanted)
    recipe.rows = PictureRows(Pictures(context.table, context.raw, plain, wanted.decoded_side))
    assert next(recipe.batches(0, 0))[0].shape[1:] == (3, SIZE, SIZE)
    by_pictures = train(recipe)
    for key, value in by_features.items():
        if key.startswith("head."):
            torch.testing.assert_close(value, by_pictures[key], rtol=0, atol=1e-5)
        else:  # running statistics included
            assert value.equal(by_pictures[key])
            assert value.equal(before[key])
    assert (by_features["head.weight"] - before["head.weight"]).abs().max() > 1e-3, "or nothing was trained"


@pytest.mark.parametrize("name", CHANGES)
def test_optimisers_have_no_weights_of_the_backbone(world, tmp_path, name):
    recipe, _ = make(world, tmp_path, name)
    trained = {id(p) for one in recipe.optimizers.values() for group in one.param_groups for p in group["params"]}
    embedder = recipe.networks[KEPT]
    frozen = [*embedder.backbone.parameters(), *embedder.pooling.parameters()]
    assert frozen
    assert not trained & {id(parameter) for parameter in frozen}
    assert {id(parameter) for parameter in embedder.head.parameters()} <= trained
    embedder.train()
    assert not any(module.training for module in embedder.backbone.modules())


def test_what_is_cached_does_not_change_what_is_drawn_afterwards(world, tmp_path):
    fresh, cached = (make(world, tmp_path, "category_triplet")[0] for _ in range(2))
    for name, network in fresh.networks.items():
        for key, value in network.state_dict().items():
            assert value.equal(cached.networks[name].state_dict()[key]), (name, key)


def test_views_are_drawn_from_and_computed_once(world, tmp_path, monkeypatch):
    recipe, _ = make(world, tmp_path, views=3)
    pooled = recipe.rows.pooled
    assert pooled.shape == (3, 32, 512)
    assert not pooled[0].allclose(pooled[1])
    weights = train(recipe, 2)
    batches = [batch for epoch in range(4) for batch, _ in recipe.batches(epoch, 0)]
    drawn = {int((pooled == row).all(dim=2).nonzero()[0, 0]) for batch in batches for row in batch}
    assert drawn == {0, 1, 2}
    assert all(map(torch.equal, batches[1:2], [batch for batch, _ in recipe.batches(0, 1)]))

    def refuse(*_):
        raise AssertionError("a picture was asked for")

    monkeypatch.setattr(Pictures, "__getitem__", refuse)
    again, _ = make(world, tmp_path, views=3)
    assert again.rows.pooled.equal(pooled)
    assert all(value.equal(weights[key]) for key, value in train(again, 2).items())
    with pytest.raises(AssertionError, match="asked for"):
        make(world, tmp_path, views=4)
    with pytest.raises(AssertionError, match="asked for"):
        make(world, tmp_path, views=0)


def test_an_interrupted_computation_goes_on_with_the_same_bytes(world, tmp_path, monkeypatch):
    expected = make(world, tmp_path / "undisturbed", views=2)[0].rows.pooled
    write, written = PooledCache.write, []

    def killed(self, chunk, rows):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(len(chunk))
        write(self, chunk, rows)

    with monkeypatch.context() as patch:
        patch.setattr(PooledCache, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            make(world, tmp_path / "killed", views=2)
    assert make(world, tmp_path / "killed", views=2)[0].rows.pooled.equal(expected)
