"""What a search gives."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from PIL import Image

HEAVIEST = 1e6  # weight of the colours that can be asked for


@dataclass(frozen=True)
class Hit:
    """A picture of the index; `row` is its number there.

    `score`: greater is nearer; without colour, and by the cosine, it is the similarity of the embeddings. `deep` and
    `colour`: the distances that it is made of; None where nothing was asked, or no colour was read. `link`: address of
    the product, "" where the table has none. `value`: of the attribute that was asked for, None where it is not known.
    """

    row: int
    item: str
    category: str
    link: str
    domain: str
    dataset: str
    image: str
    score: float | None = None
    deep: float | None = None
    colour: float | None = None
    value: str | None = None


@dataclass(frozen=True)
class Answer:
    """The hits of a query by `model`, best first, ties by row; `searched`: rows that could be found.

    `milliseconds`: time of each step: `load` of the networks for the first picture, `decode` and `embed` of a picture,
    and `search`. `attribute`: what they are alike in, None where the index is not by attributes.
    """

    model: str
    hits: tuple[Hit, ...]
    searched: int
    milliseconds: dict[str, float] = field(default_factory=dict)
    attribute: str | None = None


class Attention(NamedTuple):
    """Where a network looks that is asked for an attribute.

    picture: what it sees, RGB; map (h, w) float32: how much it looks where, over all of that; box: left, top, right,
    bottom of what it looks at closely, in pixels of `picture`, beyond which it may reach.
    """

    picture: Image.Image
    map: np.ndarray
    box: tuple[int, int, int, int]
