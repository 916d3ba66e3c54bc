"""Pictures of where a network looks."""

import numpy as np
from PIL import Image

from pipeline.reporting.attention import HUE, attention_picture, crop_picture
from pipeline.retrieval.answers import Attention

WHITE = Image.new("RGB", (80, 80), "white")


def test_the_hue_is_where_it_looks_and_the_frame_about_what_it_crops():
    looks = np.zeros((4, 4), np.float32)
    looks[0, 3] = 0.5
    drawn = np.asarray(attention_picture(Attention(WHITE, looks, (8, 40, 32, 64))))
    redness = drawn[..., 0].astype(int) - drawn[..., 2]
    assert redness[10, 70] > 100
    assert redness[70, 70] == 0
    framed = np.argwhere((drawn == HUE).all(axis=-1))
    assert (framed.min(axis=0).tolist(), framed.max(axis=0).tolist()) == ([40, 8], [63, 31])


def test_a_constant_map_has_no_hue():
    drawn = attention_picture(Attention(WHITE, np.full((4, 4), 1 / 16, np.float32), (0, 0, 80, 80)))
    assert drawn.getpixel((40, 40)) == (255, 255, 255)


def test_what_is_beyond_the_picture_is_black():
    crop = crop_picture(Attention(WHITE, np.zeros((4, 4), np.float32), (60, -10, 100, 30)))
    assert crop.size == (40, 40)
    assert crop.getpixel((0, 0)) == crop.getpixel((30, 20)) == (0, 0, 0)
    assert crop.getpixel((10, 20)) == (255, 255, 255)
