"""A searcher without networks: drawn garments, told apart by their colour."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from time import perf_counter, sleep

import numpy as np
from PIL import Image, ImageDraw

from pipeline.base.errors import UserError
from pipeline.images.decode import Box, UnreadableImage, decode_image
from pipeline.retrieval.answers import HEAVIEST, Answer, Hit

CATEGORIES = ("coat", "dress", "shoe", "shirt & top")
GONE = 3  # the row whose picture is gone
SCRIPT_LINK = 4  # the row whose link is no address of the web
OUTLINES = {
    "coat": [(30, 20), (70, 20), (95, 60), (82, 66), (72, 50), (76, 110), (24, 110), (28, 50), (18, 66), (5, 60)],
    "dress": [(38, 15), (62, 15), (60, 50), (85, 112), (15, 112), (40, 50)],
    "shoe": [(10, 60), (40, 60), (60, 78), (90, 84), (92, 96), (10, 96)],
    "shirt & top": [(30, 25), (70, 25), (96, 50), (84, 62), (74, 50), (74, 98), (26, 98), (26, 50), (16, 62), (4, 50)],
}


def garment(row: int, size: tuple[int, int] = (300, 360)) -> Image.Image:
    """The drawn picture of a row: an outline by its category, a colour by its number."""
    image = Image.new("RGB", size, "white")
    red, green, blue = np.random.default_rng(row).integers(40, 220, 3).tolist()
    outline = [(x * size[0] / 100, y * size[1] / 125) for x, y in OUTLINES[CATEGORIES[row % len(CATEGORIES)]]]
    ImageDraw.Draw(image).polygon(outline, fill=(red, green, blue))
    return image


def encoded(image: Image.Image, form: str = "JPEG", **options) -> bytes:
    """The picture as a file."""
    written = BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


class FakeSearcher:
    """As `pipeline.retrieval.searcher.Searcher`, of `rows` drawn pictures."""

    def __init__(
        self,
        rows: int = 200,
        *,
        models: Sequence[str] = ("baseline", "adapted"),
        colour: bool = True,
        delay: float = 0,
        names: Sequence[str] = CATEGORIES,
        attributes: Sequence[str] = (),
    ) -> None:
        self.attributes = tuple(attributes)
        self.models, self.has_colour, self.delay, self.names = tuple(models), colour, delay, tuple(names)
        self.hits = [self._made(row) for row in range(rows)]
        self.categories = {
            name: np.array([hit.row for hit in self.hits if hit.category == name], dtype=np.int64)
            for name in self.names
        } | {"hat": np.array([], dtype=np.int64)}
        self.vectors = np.array([np.random.default_rng(row).integers(40, 220, 3) for row in range(rows)], dtype=float)

    def __len__(self) -> int:
        return len(self.hits)

    def compare(
        self,
        image: bytes,
        k: int = 10,
        *,
        likes: Sequence[str] = (),
        box: Box | None = None,
        category: str | None = None,
        colour_weight: float = 0.0,
        models: Sequence[str] | None = None,
    ) -> list[Answer]:
        self._check(category, colour_weight, models or ())
        asked = self._alike(likes)
        sleep(self.delay)
        start = perf_counter()
        try:
            picture = decode_image(image, box)
        except UnreadableImage as error:
            raise UserError(f"the picture: {error}") from error
        spent = {"decode": 1000 * (perf_counter() - start), "embed": 0.0}
        pixels = np.asarray(picture.resize((32, 32)), dtype=float).reshape(-1, 3)
        coloured = pixels[pixels.min(axis=1) < 240]
        vector = np.median(coloured if len(coloured) else pixels, axis=0)
        return [
            self._told(self._nearest(vector, k, category, colour_weight, model, spent), like)
            for like in asked
            for model in models or self.models
        ]

    def like(
        self,
        row: int,
        k: int = 10,
        *,
        like: str | None = None,
        category: str | None = None,
        colour_weight: float = 0.0,
        model: str | None = None,
    ) -> Answer:
        self._check(category, colour_weight, [model] if model else ())
        (like,) = self._alike([like] if like else [])
        self.hit(row)
        found = self._nearest(self.vectors[row], k, category, colour_weight, model or self.models[-1], {}, own=row)
        return self._told(found, like)

    def attributes_of(self, row: int) -> tuple[str, ...]:
        return self.attributes[row % 2 :]  # the first is none of every other picture

    def hit(self, row: int) -> Hit:
        if not 0 <= row < len(self):
            raise UserError(f"row {row}: not in the index, which has {len(self)} rows")
        return self.hits[row]

    def browse(self, category: str | None = None, start: int = 0, count: int = 50) -> list[Hit]:
        self._check(category, 0, ())
        rows = range(len(self)) if category is None else self.categories[category]
        return [self.hits[row] for row in rows[start : start + count]]

    def picture(self, row: int, side: int | None = None) -> Image.Image:
        self.hit(row)
        if row == GONE:
            raise UnreadableImage("no such file or directory")
        return garment(row)

    def _made(self, row: int) -> Hit:
        link = f"https://shop.example/{row}" if row % 2 else ""
        if row == SCRIPT_LINK:
            link = "javascript:alert(1)"
        category = self.names[row % len(self.names)]
        return Hit(row, f"<{row}>", category, link, "shop", "drawn", f"secret/{row}.jpg")

    def _check(self, category: str | None, weight: float, models: Sequence[str]) -> None:
        if category is not None and category not in self.categories:
            raise UserError(f"category {category!r}: none of the index; known: {', '.join(self.categories)}")
        if unknown := [name for name in models if name not in self.models]:
            raise UserError(f"model {unknown[0]!r}: none of the index; known: {', '.join(self.models)}")
        if not 0 <= weight <= HEAVIEST:
            raise UserError(f"colour weight: {weight} is no weight; give 0 or more")
        if weight and not self.has_colour:
            raise UserError("colour weight: the index has no colour features")

    def _alike(self, likes: Sequence[str]) -> Sequence[str | None]:
        if bool(likes) != bool(self.attributes) or not set(likes) <= set(self.attributes):
            raise UserError(f"like {', '.join(likes)}: known: {', '.join(self.attributes)}")
        return likes or (None,)

    def _told(self, answer: Answer, like: str | None) -> Answer:
        hits = tuple(replace(hit, value=like and f"{like} of {hit.item}") for hit in answer.hits)
        return replace(answer, attribute=like, hits=hits)

    def _nearest(
        self,
        vector: np.ndarray,
        k: int,
        category: str | None,
        weight: float,
        model: str,
        spent: dict[str, float],
        own: int = -1,
    ) -> Answer:
        among = np.arange(len(self)) if category is None else self.categories[category]
        among = among[among != own]
        channels = slice(None, None if model == self.models[0] else 2)  # models differ in what they see
        distance = np.abs(self.vectors[among] - vector)[:, channels].mean(axis=1) / 255
        best = np.lexsort((among, distance))[:k]
        hits = [
            Hit(*list(vars(self.hits[row]).values())[:7], score=1 - far - weight * far, deep=far, colour=far)
            for row, far in zip(among[best].tolist(), distance[best].tolist(), strict=True)
        ]
        return Answer(model, tuple(hits), len(among), spent | {"search": 0.3})
