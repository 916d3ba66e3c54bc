"""Pictures of where a network looks."""

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from pipeline.retrieval.answers import Attention

HUE = (230, 60, 0)
STRONGEST = 0.6  # of the hue, where it looks most


def attention_picture(attention: Attention) -> Image.Image:
    """What the network saw, in grey, with a hue where it looks, and a frame around what it looks at closely."""
    grey = ImageOps.grayscale(attention.picture).convert("RGB")
    low, high = attention.map.min(), attention.map.max()
    share = (attention.map - low) / (high - low) if high > low else np.zeros_like(attention.map)
    mask = Image.fromarray(np.rint(255 * STRONGEST * share).astype(np.uint8))
    mask = mask.resize(grey.size, Image.Resampling.BILINEAR)
    shown = Image.composite(Image.new("RGB", grey.size, HUE), grey, mask)
    left, top, right, bottom = attention.box
    ImageDraw.Draw(shown).rectangle((left, top, right - 1, bottom - 1), outline=HUE, width=max(1, grey.width // 50))
    return shown


def crop_picture(attention: Attention) -> Image.Image:
    """What it looks at closely; black beyond the picture."""
    return attention.picture.crop(attention.box)
