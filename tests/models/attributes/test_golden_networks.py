"""Attention, patch branch, crop and rows compute what the published implementations do."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from support.golden import golden

from pipeline.models.attributes.asen import AsenAttention
from pipeline.models.attributes.attention import RegionAttention, complement, positions
from pipeline.models.attributes.crop import attention_boxes, boxes, crop_resize, lit, rectangles, squares
from pipeline.models.attributes.network import combined
from pipeline.models.attributes.patch import PatchBranch, prepare_vit
from pipeline.models.inputs import IMAGENET_MEAN, IMAGENET_STD

DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
# (absolute, relative) by dtype, of outputs and of gradients
VALUES = {torch.float64: (1e-9, 1e-9), torch.float32: (1e-5, 1e-4)}
GRADIENTS = {torch.float64: (1e-9, 1e-9), torch.float32: (2e-5, 1e-3)}
KEPT_AS_FLOAT32 = (1e-6, 1e-5)


def close(made, expected, tolerance):
    atol, rtol = tolerance
    np.testing.assert_allclose(made.detach().double().numpy(), expected, atol=atol, rtol=rtol)


def load(module, arrays, names, dtype):
    """Put the golden arrays into `module`; `names`: those of its layers, and the golden ones, without what they are."""
    state = {
        f"{ours}.{part}": torch.from_numpy(arrays[f"{theirs}_{part}"])
        for ours, theirs in names.items()
        for part in ("weight", "bias")
    }
    missing = module.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    return module.to(dtype).eval(), missing.missing_keys


def inputs(arrays, dtype, *names):
    return [torch.tensor(arrays[name], dtype=dtype, requires_grad=True) for name in names]


@DTYPES
def test_region_attention(dtype):
    arrays = golden("region_attention", "rpf")
    names = {
        "attention.query": "attr_fc",
        "attention.key": "feat_conv",
        "foreground": "feature_fc",
        "norm_map": "ln_feat",
        "norm_attribute": "ln_attr",
        "norm": "ln_embed",
        "mlp.0": "mlp_fc1",
        "mlp.3": "mlp_fc2",
    }
    head, missing = load(RegionAttention(24, 12, 10, reduction=2, dropout=0.1), arrays, names, dtype)
    assert not missing
    features, table = inputs(arrays, dtype, "feature_map", "attr_table")
    made = head(features, table[torch.from_numpy(arrays["attr_index"])])
    close(made.map, arrays["attention_map"], VALUES[dtype])
    close(complement(made.map.flatten(1)).view_as(made.map), arrays["background_map"], VALUES[dtype])
    close(made.embedding, arrays["region_embedding"], VALUES[dtype])
    close(made.background, arrays["background_embedding"], VALUES[dtype])
    up = [torch.tensor(arrays[f"upstream_{name}"], dtype=dtype) for name in ("region", "background")]
    ((made.embedding * up[0]).sum() + (made.background * up[1]).sum()).backward()
    close(features.grad, arrays["grad_feature_map"], GRADIENTS[dtype])
    close(table.grad, arrays["grad_attr_table"], GRADIENTS[dtype])


@DTYPES
def test_asen_attention(dtype):
    arrays = golden("asenpp_attention", "rpf")
    names = {
        "attention.query": "spatial_attr_fc",
        "attention.key": "spatial_feat_conv",
        "gate.attribute": "channel_attr_fc",
        "gate.squeeze": "channel_fc1",
        "gate.excite": "channel_fc2",
        "out": "feature_fc",
    }
    head, missing = load(AsenAttention(16, 10, 8, reduction=2, embedding_dim=20), arrays, names, dtype)
    assert not missing
    features, table = inputs(arrays, dtype, "feature_map", "attr_table")
    attribute = table[torch.from_numpy(arrays["attr_index"])]
    made = head(features, attribute)
    assert made.background is None
    close(made.map, arrays["attention_map"], VALUES[dtype])
    feature = (made.map.flatten(1).unsqueeze(1) @ positions(features)).squeeze(1)
    close(feature, arrays["pooled_feature"], VALUES[dtype])
    close(head.gate(feature, attribute), arrays["channel_gate"], VALUES[dtype])
    close(made.embedding, arrays["embedding"], VALUES[dtype])
    (made.embedding * torch.tensor(arrays["upstream"], dtype=dtype)).sum().backward()
    close(features.grad, arrays["grad_feature_map"], GRADIENTS[dtype])
    close(table.grad, arrays["grad_attr_table"], GRADIENTS[dtype])


def golden_patch_branch(arrays, dtype):
    """The branch with a ViT of timm's, its class token and positions those of the file."""
    heads, depth = int(arrays["n_heads"]), int(arrays["n_blocks"])
    shape = {"img_size": 24, "patch_size": int(arrays["patch_size"]), "embed_dim": 16, "mlp_ratio": 2.0}
    vit = timm.models.VisionTransformer(**shape, depth=depth, num_heads=heads, num_classes=0)
    prepare_vit(vit, dropout=0.1, zero_class_token=False)
    branch = PatchBranch(vit, 10, 24, heads=heads, reduction=2, dropout=0.1)
    names = {
        "vit.patch_embed.proj": "w_patch_proj",
        "to_query": "w_attr2query",
        "norm_tokens": "w_cross_ln",
        "widen": "w_head_fc",
        "norm_mlp": "w_head_ln",
        "mlp.0": "w_head_mlp_fc1",
        "mlp.3": "w_head_mlp_fc2",
        "norm": "w_final_ln",
    }
    names |= {f"cross.{part}": f"w_cross_{part}" for part in ("query", "key", "value", "out")}
    arrays = dict(arrays)
    for block in range(depth):
        theirs, parts = f"w_block{block}", ("query", "key", "value")
        for kind in ("weight", "bias"):
            rows = [arrays[f"{theirs}_attn_{part}_{kind}"] for part in parts]
            arrays[f"{theirs}_attn_qkv_{kind}"] = np.concatenate(rows)
        layers = {"norm1": "ln1", "norm2": "ln2", "mlp.fc1": "mlp_fc1", "mlp.fc2": "mlp_fc2"}
        layers |= {"attn.qkv": "attn_qkv", "attn.proj": "attn_out"}
        names |= {f"vit.blocks.{block}.{ours}": f"{theirs}_{name}" for ours, name in layers.items()}
    branch, missing = load(branch, arrays, names, torch.float32)
    assert set(missing) == {"types", "vit.cls_token", "vit.pos_embed"}
    with torch.no_grad():
        branch.types.copy_(torch.from_numpy(arrays["w_type_embed"][0]))
        vit.cls_token.copy_(torch.from_numpy(arrays["w_cls_token"]))
        vit.pos_embed.copy_(torch.from_numpy(arrays["w_pos_embed"]))
    return branch.to(dtype)


@DTYPES
def test_patch_branch(dtype):
    arrays = golden("patch_branch", "rpf")
    branch = golden_patch_branch(arrays, dtype)
    images, table = inputs(arrays, dtype, "image", "attr_table")
    attribute = table[torch.from_numpy(arrays["attr_index"])]
    close(branch.vit.forward_features(images), arrays["encoder_tokens"], VALUES[dtype])
    close(branch.cross.weights(*branch.tokens(images, attribute)), arrays["cross_attention"], VALUES[dtype])
    made = branch(images, attribute)
    close(made, arrays["patch_embedding"], VALUES[dtype])
    (made * torch.tensor(arrays["upstream"], dtype=dtype)).sum().backward()
    close(images.grad, arrays["grad_image"], KEPT_AS_FLOAT32 if dtype == torch.float64 else GRADIENTS[dtype])
    close(table.grad, arrays["grad_attr_table"], GRADIENTS[dtype])


@DTYPES
def test_boxes(dtype):
    arrays = golden("crop", "rpf")
    size, threshold = int(arrays["global_size"]), float(arrays["threshold"])
    maps = torch.tensor(arrays["mask"], dtype=dtype)
    found = rectangles(lit(maps, size, threshold))
    assert np.array_equal(found, arrays["bounding_rect_xywh"])
    made = boxes(squares(found, size), size, torch.from_numpy(arrays["image_size_wh"]))
    assert np.array_equal(made, arrays["crop_box_ltrb"])
    beyond = (made[:, 2:] > torch.from_numpy(arrays["image_size_wh"])).any(dim=1)
    assert beyond[-4:].all(), "the file has boxes that end outside"


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_map_that_is_not_finite_is_bright_everywhere(value):
    maps = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0))
    maps[0, 1, 1] = value
    assert lit(maps, 24, 0.1).all(dim=(1, 2)).tolist() == [True, False]


@pytest.mark.parametrize("case", ["img0", "img1"])
@DTYPES
def test_local_view(case, dtype):
    arrays = golden("crop", "rpf")
    pixels = arrays[f"{case}_rgb"]
    maps = torch.from_numpy(arrays[f"{case}_mask"])[None]
    found = squares(rectangles(lit(maps, 32, 0.1)), 32)
    box = boxes(found, 32, torch.tensor([pixels.shape[1], pixels.shape[0]]))
    assert np.array_equal(box[0], arrays[f"{case}_crop_box_ltrb"])
    mean, std = (torch.tensor(values, dtype=dtype) for values in (IMAGENET_MEAN, IMAGENET_STD))
    image = (torch.from_numpy(pixels).to(dtype) / 255 - mean) / std
    made = crop_resize(image.permute(2, 0, 1)[None], box, 16, -mean / std)[0]
    assert np.abs(made.numpy() - arrays[f"{case}_local_view"]).max() < 0.0175  # 1/255 before normalisation
    assert made.dtype == dtype


def test_boxes_of_the_square_are_those_of_a_square_picture():
    arrays = golden("crop", "rpf")
    maps, size = torch.from_numpy(arrays["mask"]), int(arrays["global_size"])
    for canvas in (224, 448, 300):
        made = attention_boxes(maps, size, 0.1, canvas)
        for (x, y, w, h), box in zip(arrays["bounding_rect_xywh"].tolist(), made.tolist(), strict=True):
            side = max(w, h)
            start = []
            for corner, extent in ((x, w), (y, h)):
                centre = corner + extent // 2
                place = size - side if centre + side // 2 > size else max(0, centre - side // 2)
                start.append(int((place / size) * canvas))
            assert box == [*start, *(one + int((side / size) * canvas) for one in start)]


@pytest.mark.parametrize("size", [16, 40, 64])
def test_crops_are_those_of_pillow(size):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 50, 50, 3), dtype=np.uint8)
    made_of = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    where = torch.tensor([[0, 0, 50, 50], [3, 10, 36, 43], [20, 30, 51, 61]])  # the last one ends outside
    made = crop_resize(made_of, where, size, torch.zeros(3))
    for picture, box, crop in zip(pixels, where.tolist(), made, strict=True):
        theirs = Image.fromarray(picture).crop(box).resize((size, size), Image.Resampling.BILINEAR)
        assert np.abs(crop.permute(1, 2, 0).numpy() - np.asarray(theirs) / 255).max() < 1.01 / 255


@DTYPES
def test_rows_that_are_searched(dtype):
    arrays = golden("retrieval", "rpf")
    for side in ("query", "cand"):
        rows = [torch.tensor(arrays[f"{side}_{name}"], dtype=dtype) for name in ("region", "patch")]
        made = combined(rows, float(arrays["beta"]))
        close(made, arrays[f"{side}_combined"], KEPT_AS_FLOAT32 if dtype == torch.float64 else VALUES[dtype])
        assert torch.allclose(made.norm(dim=1), torch.ones(len(made), dtype=dtype))
