"""Pictures to tensors outside training, as the published test transforms have it."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support.golden import golden
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.base.params import parse_section
from pipeline.images.loading import Pictures
from pipeline.images.transforms import PictureInput, inference_transform, training_transform
from pipeline.params.finetune import AugmentParams, ModelParams

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def wanted(image_size, crop_from):
    return PictureInput(image_size, MEAN, STD, "bilinear", crop_from)


def transform(image_size, crop_from):
    return inference_transform(wanted(image_size, crop_from))


def test_centre_crop_as_dada_tests():
    case = golden("eval_transform", "dada")
    made = transform(224, 256)(Image.fromarray(case["image_uint8"]))
    assert tuple(made.shape) == tuple(case["output_shape"])
    np.testing.assert_allclose(made[:, ::8, ::8], case["output_subsampled_8"], rtol=0, atol=0.03)
    np.testing.assert_allclose(made.mean(dim=(1, 2)), case["output_channel_mean"], rtol=0, atol=0.005)
    np.testing.assert_allclose(made.std(dim=(1, 2)), case["output_channel_std"], rtol=0, atol=0.005)


def test_centre_crop_as_deep_fashion_retrieval_tests():
    case = golden("colour", "deep_fashion_retrieval")
    made = transform(224, 224)(Image.fromarray(case["preproc_image_u8"]))
    np.testing.assert_allclose(made[:, [0, 100, 223]], case["preproc_rows"], rtol=0, atol=1e-4)
    found = [made.mean(), made.std(), made.min(), made.max()]
    np.testing.assert_allclose(found, case["preproc_stats"], rtol=0, atol=1e-3)


@pytest.mark.parametrize(("crop_from", "ends"), [(None, (0, 255)), (16, (86, 170))])
def test_what_is_seen_of_a_wide_picture(crop_from, ends):
    wide = Image.fromarray(np.tile(np.linspace(0, 255, 48).astype(np.uint8)[None, :, None], (16, 1, 3)))
    made = transform(16, crop_from)(wide)[0] * STD[0] + MEAN[0]
    assert made.shape == (16, 16)
    assert (255 * made[:, [0, -1]].mean(dim=0)).tolist() == pytest.approx(ends, abs=8)
    assert torch.allclose(made[0], made[-1])


def test_a_crop_of_the_centre_in_training_is_what_is_seen_outside():
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 48, 3), dtype=np.uint8))
    plain = {"rotation": 0.0, "resize": 16, "scale": None, "flip": 0.0, "jitter": 0.0}
    made = training_transform(AugmentParams(**plain, crop="centre"), wanted(16, 16))(picture)
    assert torch.equal(made, transform(16, 16)(picture))
    torch.manual_seed(0)
    assert not torch.equal(training_transform(AugmentParams(**plain), wanted(16, 16))(picture), made)


def test_a_crop_larger_than_the_picture_is_refused():
    section = default_params()["finetune"]["model"] | {"image_size": 64, "crop_from": 60}
    with pytest.raises(UserError, match=r"finetune.model.crop_from: should be null, whole, or pixels .* \(64\)"):
        parse_section(section, "finetune.model", ModelParams)


def test_large_pictures_are_decoded_large_enough_for_the_crop(tmp_path):
    stripes = np.repeat(np.tile([0, 255], 256).astype(np.uint8)[None], 512, axis=0)
    Image.fromarray(np.stack([stripes] * 3, axis=2)).save(tmp_path / "stripes.jpg", quality=100)
    table = pd.DataFrame({"image": ["stripes.jpg"], **dict.fromkeys(("x", "y", "w", "h"), np.nan)})
    large = wanted(16, 512)
    pictures = Pictures(table, tmp_path, inference_transform(large), large.decoded_side)
    assert pictures[0].std() > 1, "at half the size the stripes would be grey"
