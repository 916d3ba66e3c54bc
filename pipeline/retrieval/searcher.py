"""The one object behind the command line, the page and a notebook: finds the pictures of an index that look alike."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from pipeline.base.devices import torch_device
from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, IMAGE
from pipeline.images.decode import Box, UnreadableImage, as_box, decode_image, load_image, prepare_image
from pipeline.retrieval.answers import HEAVIEST, Answer, Attention, Hit
from pipeline.retrieval.embedding import Embedded, QueryEmbedder
from pipeline.retrieval.engines.face import Among, Engine
from pipeline.retrieval.finding import Query, find
from pipeline.retrieval.index.folder import FOLDER, Index, read_index
from pipeline.retrieval.likes import Likes

Picture = Image.Image | np.ndarray | bytes | str | Path  # an array is (H, W, 3) uint8; bytes are an encoded picture


class UnreadablePhoto(UserError):
    """A photo that gives nothing to search with."""


class Terms(NamedTuple):
    """What a search is to give: `k` hits, of one category or any, with a weight of the colours, alike in `like`."""

    k: int
    category: str | None
    colour_weight: float
    like: str | None = None


class Searcher:
    """Searches one index, with any of the models that it was made with. Threads may share it.

    The networks are loaded when the first picture is to be embedded, or by `load(..., warm=True)`.
    """

    def __init__(self, index: Index, device: torch.device) -> None:
        self.index, self.device = index, device
        self.models, self._likes = tuple(index.facts.models), Likes(index)
        places = index.table.groupby(CATEGORY).indices
        self.categories = {str(name): index.ids[places[name]] for name in sorted(places)}
        self._embedder, self._loading = None, threading.Lock()

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto", warm: bool = False) -> "Searcher":
        """The index in `folder`. Raises UserError when it is missing or damaged, or (warm) its models are gone."""
        made = cls(read_index(Path(folder)), torch_device(device))
        if warm:
            made.embed([Image.new("RGB", (64, 64))], like=next(iter(made.attributes), None))
        return made

    def __len__(self) -> int:
        return len(self.index)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that pictures can be alike in, one of which a search then names; none: a search is by all of them."""
        return self._likes.names

    def attributes_of(self, row: int) -> tuple[str, ...]:
        """Those that the picture of that number is found by. Raises UserError when there is none."""
        self.index.places(np.array([row]))  # known?
        return self._likes.of(row)

    @property
    def has_colour(self) -> bool:
        """Whether a weight of the colour can be asked for."""
        return self.index.colour is not None

    def search(
        self,
        image: Picture,
        k: int = 10,
        *,
        like: str | None = None,
        box: Box | None = None,
        category: str | None = None,
        colour_weight: float = 0.0,
        model: str | None = None,
    ) -> Answer:
        """The `k` pictures nearest to `image`, or to its part in `box` (x, y, w, h), in pixels of the upright picture.

        `like`: the one of `attributes` that they are to be alike in, where there are some. `category`: no others are
        found. `model`: one of `models`, the last one when None. Raises UserError for a picture that cannot be read, a
        box beside it, an unknown attribute, category or model, and a weight without colours.
        """
        likes, models = [] if like is None else [like], [self._model(model)]
        terms = {"category": category, "colour_weight": colour_weight}
        (answer,) = self.compare(image, k, likes=likes, box=box, **terms, models=models)
        return answer

    def compare(
        self,
        image: Picture,
        k: int = 10,
        *,
        likes: Sequence[str] = (),
        box: Box | None = None,
        category: str | None = None,
        colour_weight: float = 0.0,
        models: Sequence[str] | None = None,
    ) -> list[Answer]:
        """As `search`, by each of `models` (all by default), alike in each of `likes`.

        The picture goes through the backbone once an attribute.
        """
        names = [self._model(name) for name in models or self.models]
        attributes = self._likes.check(likes)
        terms = self._checked(Terms(k, category, colour_weight))
        spent: dict[str, float] = {}
        if self._embedder is None:
            with _timed(spent, "load"):
                self._network()
        with _timed(spent, "decode"):
            picture = self._picture(image, box)
        answers = []
        for attribute in attributes:
            with _timed(spent, "embed"):
                embedded = self._network()([picture], category, attribute)
            asked = terms._replace(like=attribute)
            answers += [self._answer(embedded.of(0, name), name, asked, spent) for name in names]
        return answers

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
        """The `k` pictures nearest to that of `row`, which is not among them, as `search` does. Needs no network."""
        name = self._model(model)
        attribute = self._likes.one(like)
        terms = self._checked(Terms(k, category, colour_weight, attribute))
        self.index.places(np.array([row]))  # known?
        self._likes.check_row(row, attribute)
        vector = self._engine(name, attribute).rows(np.array([row]))[0]
        colour = self.index.colour.rows(np.array([row]))[0] if colour_weight else None
        return self._answer(Query(vector, colour), name, terms, own=row)

    def embed(self, images: Iterable[Picture], category: str | None = None, *, like: str | None = None) -> Embedded:
        """Embeddings of pictures by every model, and their colour features. Raises UserError as `search` does."""
        attribute = self._likes.one(like)
        pictures = [self._picture(image, None) for image in images]
        return self._network()(pictures, category, attribute)

    def attention(self, image: Picture, like: str, *, box: Box | None = None) -> Attention | None:
        """Where the network looks in a picture, or in its part in `box`, for the attribute; None if it does not tell.

        Raises UserError as `search` does.
        """
        (attribute,) = self._likes.check([like])
        return self._network().attention(self._picture(image, box), None, attribute)

    def hit(self, row: int) -> Hit:
        """The picture of that number. Raises UserError when there is none."""
        return self._hits(np.array([row]))[0]

    def browse(self, category: str | None = None, start: int = 0, count: int = 50) -> list[Hit]:
        """The catalogue from its first picture, or that of a category."""
        return self._hits(self._among(category)[start : start + count])

    def file(self, row: int) -> tuple[Path, Box | None]:
        """Where the picture of that number lies, and its box there. The file may be gone."""
        entry = self.index.table.iloc[self.index.places(np.array([row]))[0]]
        box = entry[list(BOX)].to_numpy(dtype=np.float64)
        return Path(entry[FOLDER]) / entry[IMAGE], as_box(box)

    def picture(self, row: int, side: int | None = None) -> Image.Image:
        """The picture of that number, cropped to its box; `side`: about how many pixels are needed.

        Raises UnreadableImage when it is gone.
        """
        path, box = self.file(row)
        return load_image(path, box, target_side=side)

    def _answer(
        self, query: Query, model: str, terms: Terms, spent: Mapping[str, float] | None = None, *, own: int = -1
    ) -> Answer:
        spent, weight = dict(spent or {}), terms.colour_weight
        with _timed(spent, "search"):
            among, facts = self._likes.among(self._among(terms.category), terms.like), self.index.facts
            ids, scored = find(
                self._engine(model, terms.like),
                query,
                terms.k,
                fusion=facts.fusion(weight),
                shortlist=facts.shortlist,
                colour=self.index.colour,
                among=None if terms.category is None else Among(terms.category, among),
                own=own,
            )
            hits = self._hits(ids, scored.score, scored.deep, scored.colour if weight else None, terms.like)
        return Answer(model, tuple(hits), len(among) - int(own in among), spent, terms.like)

    def _hits(
        self,
        ids: np.ndarray,
        score: np.ndarray | None = None,
        deep: np.ndarray | None = None,
        colour: np.ndarray | None = None,
        like: str | None = None,
    ) -> list[Hit]:
        shown = self.index.table.iloc[self.index.places(ids)]
        names = ("row", "item", "category", "link", "domain", "dataset", "image")
        texts = zip(*(shown[name].tolist() for name in names), strict=True)
        figures = [None if values is None else values.tolist() for values in (score, deep, colour)]
        known = self._likes.values(ids, like)
        return [
            Hit(*text, *(None if values is None else values[place] for values in figures), known[place])
            for place, text in enumerate(texts)
        ]

    def _among(self, category: str | None) -> np.ndarray:
        if category is None:
            return self.index.ids
        if category not in self.categories:
            raise UserError(f"category {category!r}: none of the index; known: {', '.join(self.categories)}")
        return self.categories[category]

    def _engine(self, model: str, attribute: str | None) -> Engine:
        return self.index.engines[model if attribute is None else attribute]

    def _model(self, name: str | None) -> str:
        if name is None:
            return self.models[-1]
        if name not in self.models:
            raise UserError(f"model {name!r}: none of the index; known: {', '.join(self.models)}")
        return name

    def _checked(self, terms: Terms) -> Terms:
        weight = terms.colour_weight
        if terms.k < 1:
            raise UserError(f"k: {terms.k} results cannot be shown; ask for 1 or more")
        if not 0 <= weight <= HEAVIEST:
            raise UserError(f"colour weight: {weight} is no weight; give one from 0 to {HEAVIEST:g}")
        if weight and self.attributes:
            raise UserError("colour weight: an index by attributes has no colour features; search without")
        if weight and not self.has_colour:
            raise UserError(
                "colour weight: the index has no colour features; extract.colour and extract.colour_parts say of which "
                "parts there are any, then run `dvc repro`"
            )
        self._among(terms.category)
        return terms

    def _picture(self, image: Picture, box: Box | None) -> Image.Image:
        try:
            match image:
                case Image.Image():
                    return prepare_image(image, box)
                case np.ndarray():
                    return prepare_image(Image.fromarray(image), box)
            side = 2 * self._network().side  # as in extraction: the picture of a row then gives the vector of the row
            if isinstance(image, bytes):
                return decode_image(image, box, target_side=side)
            return load_image(Path(image), box, target_side=side)
        except UnreadableImage as error:
            where = image if isinstance(image, str | Path) else "the picture"
            mend = f"; {error.mend}" if error.mend else ""
            raise UnreadablePhoto(f"{where}: {error}{mend}") from error

    def _network(self) -> QueryEmbedder:
        with self._loading:
            if self._embedder is None:
                self._embedder = QueryEmbedder(self.index.facts, self.device)
            return self._embedder


@contextmanager
def _timed(spent: dict[str, float], step: str) -> Iterator[None]:
    start = perf_counter()
    yield
    spent[step] = 1000 * (perf_counter() - start)
