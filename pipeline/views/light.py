"""Another light, another camera."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter


@dataclass(frozen=True)
class Light:
    """How far the light differs.

    exposure, white_balance (of each channel), gamma, contrast: deviations of their logarithms; gradient: deviation of
    the share by which one side is brighter than the other.
    """

    exposure: float = 0.18
    white_balance: float = 0.07
    gamma: float = 0.15
    contrast: float = 0.12
    gradient: float = 0.15

    def fall(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A picture (S, S, 3) uint8 in a light that is drawn."""
        side = len(picture)
        gain = np.exp(rng.normal(0, self.exposure) + rng.normal(0, self.white_balance, size=3))
        gamma, contrast = np.exp(rng.normal(0, (self.gamma, self.contrast)))
        # One channel's curve is a table of its 256 values; the gradient then scales pixels.
        values = np.minimum(np.arange(256)[:, None] / 255 * gain, 1) ** gamma
        lit = np.stack([values[:, channel].astype(np.float32)[picture[..., channel]] for channel in range(3)], axis=2)
        middle = lit.mean()
        lit -= middle
        lit *= contrast
        lit += middle
        direction, strength = rng.uniform(0, 2 * np.pi), rng.normal(0, self.gradient)
        along = np.linspace(-0.5, 0.5, side, dtype=np.float32)
        lit *= (1 + strength * (np.cos(direction) * along + np.sin(direction) * along[:, None]))[..., None]
        return np.rint(lit.clip(0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Camera:
    """How well photos are taken.

    blur: the probability that one is out of focus, by a Gauss kernel of `radius` (low, high), in shares of the side;
    quality: of JPEG, (low, high).
    """

    blur: float = 0.5
    radius: tuple[float, float] = (0.002, 0.008)
    quality: tuple[int, int] = (35, 90)

    def take(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A picture (S, S, 3) uint8 as such a photo."""
        image = Image.fromarray(picture)
        radius, quality = rng.uniform(*self.radius), int(rng.integers(*self.quality, endpoint=True))
        if rng.random() < self.blur:
            image = image.filter(ImageFilter.GaussianBlur(radius * len(picture)))
        encoded = io.BytesIO()
        image.save(encoded, format="JPEG", quality=quality)
        return np.asarray(Image.open(encoded))
