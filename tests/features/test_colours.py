"""The colour feature of deep-fashion-retrieval, and its variant that knows no order."""

import numpy as np
import torch
from support.attribute_networks import attribute_network
from support.golden import golden

from pipeline.features.colours import Colours, colour_features
from pipeline.features.sources import of_pictures
from pipeline.models.embedder import build_embedder
from pipeline.params.extract import ExtractParams
from pipeline.params.finetune import ModelParams

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def case():
    arrays = golden("colour", "deep_fashion_retrieval")
    images = (arrays["image_u8"] / np.float32(255) - MEAN) / STD
    return arrays, torch.tensor(images.transpose(0, 3, 1, 2)).float(), torch.tensor(arrays["feature_map"])


def test_published_features():
    arrays, images, maps = case()
    for cells in arrays["topn"].tolist():
        made = colour_features(images, maps, cells)
        np.testing.assert_allclose(made, arrays[f"canon_color_top{cells}"], atol=5e-5)


def test_published_features_of_a_map_with_negative_values():
    arrays, _, _ = case()
    made = colour_features(torch.tensor(arrays["small_image"]), torch.tensor(arrays["small_feature_map"]), 10)
    np.testing.assert_allclose(made, arrays["small_canon_color_top10"], atol=5e-5)


def test_sorted_colours_do_not_depend_on_the_order_of_the_responses():
    _, images, maps = case()
    plain = {variant: colour_features(images, maps, 49, variant) for variant in ("ranked", "sorted")}
    shuffled = maps[:, :, torch.randperm(7, generator=torch.Generator().manual_seed(0))]
    assert torch.equal(colour_features(images, shuffled, 49, "sorted"), plain["sorted"])
    assert not torch.equal(colour_features(images, shuffled, 49, "ranked"), plain["ranked"])
    # The same cells: the same reds, in another order.
    torch.testing.assert_close(plain["sorted"][:, :49].sort().values, plain["ranked"][:, :49].sort().values)


def test_equal_responses_rank_by_cell():
    images = torch.arange(3 * 4 * 4, dtype=torch.float32).reshape(1, 3, 4, 4)
    made = colour_features(images, torch.ones(1, 2, 4, 4), 3)
    assert made[0, :3].tolist() == [0, 1, 2]


def test_more_cells_than_there_are_give_all():
    assert colour_features(torch.rand(2, 3, 8, 8), torch.rand(2, 5, 2, 2), 10).shape == (2, 12)


def test_a_map_of_tokens_is_a_square():
    images, maps = torch.rand(2, 3, 8, 8), torch.rand(2, 5, 2, 2)
    tokens = maps.flatten(2).unsqueeze(-1)
    assert torch.equal(colour_features(images, tokens, 3), colour_features(images, maps, 3))


def _embedder(pooling: str):
    backbone = "timm/test_vit" if pooling == "token" else "timm/test_resnet"
    params = {"backbone": backbone, "pooling": pooling, "gem_p": 3.0, "norm_features": False, "embedding_dim": 8}
    return build_embedder(ModelParams(**params, image_size=64 if pooling == "gem" else None)).eval()


def test_one_pass_gives_pooled_features_and_colours():
    embedder = _embedder("gem")
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        pooled, colour = Colours.of(embedder, "ranked", 10).pool(images)
        assert torch.equal(pooled, embedder.pool(images))
    cells = embedder.pool_with_map(images)[1].shape[-2:].numel()
    assert colour.shape == (2, 3 * min(10, cells))


def test_no_colours_where_there_is_no_map():
    assert Colours.of(_embedder("token"), "ranked", 10) is None


def test_why_there_are_no_colours():
    params = ExtractParams(
        normalize_pooled=False, attributes="labelled", colour="ranked", colour_cells=10, colour_parts=()
    )
    for network, reason in (
        (_embedder("token"), "pooling token has no map"),
        (attribute_network(), "a network of kind attributes has no colours"),
    ):
        made = of_pictures(network, None, None, device=None, runtime=None, work_on=None, params=params)
        assert made.without_colour == reason
