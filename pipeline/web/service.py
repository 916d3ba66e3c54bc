"""What the page and the API do: search in the index of the moment, which is exchanged when another takes its place."""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pipeline.base.errors import UserError
from pipeline.images.decode import UnreadableImage
from pipeline.retrieval.answers import Answer, Hit
from pipeline.web.limits import Limits
from pipeline.web.line import Line
from pipeline.web.refusals import Refusal
from pipeline.web.uploads import Uploads, check_picture
from pipeline.web.wishes import Shelf, Wishes

if TYPE_CHECKING:
    from pipeline.retrieval.searcher import Searcher

KEPT = 500  # pictures that are ready to be sent; a tile has about 20 kB
PICTURES_AT_ONCE, PICTURES_WAITING = 2, 500
PICTURE_SECONDS = 20
LOOK_SECONDS = 1  # between two looks at the index
HIGHEST_ROW = 2**63 - 1


class Served:
    """One index as it is served; `tag` tells its pictures from those of another."""

    def __init__(self, searcher: "Searcher", stamp: Any) -> None:
        self.searcher, self.stamp = searcher, stamp
        self.tag = sha256(repr(stamp).encode()).hexdigest()[:12]
        self.jpeg = lru_cache(KEPT)(self._jpeg)

    def hit(self, row: int) -> Hit:
        """The picture of that number. Raises Refusal when there is none."""
        try:
            return self.searcher.hit(min(row, HIGHEST_ROW))
        except UserError as error:
            raise Refusal(404, str(error)) from None

    def _jpeg(self, row: int, side: int) -> bytes:
        picture = self.searcher.picture(row, side)
        picture.thumbnail((side, side))
        encoded = BytesIO()
        picture.save(encoded, "JPEG", quality=85)
        return encoded.getvalue()


class Service:
    """Answers from the index that `load` gives, as long as `stamp` says that it is the same one.

    Both raise UserError. `say` is for the log.
    """

    def __init__(
        self,
        load: Callable[[], "Searcher"],
        stamp: Callable[[], Any],
        limits: Limits,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._load, self._stamp, self._say = load, stamp, say
        self.limits = limits
        self.uploads = Uploads(limits)
        self._searches = Line(limits.at_once, limits.waiting)
        self._pictures = Line(PICTURES_AT_ONCE, PICTURES_WAITING)
        self.served = self._serve()

    async def search(self, content: bytes, wishes: Wishes) -> list[Answer]:
        """What each model finds for an encoded picture. Raises Refusal or UserError."""
        searcher = self.served.searcher  # to the end, whatever takes its place

        def work() -> list[Answer]:
            check_picture(content, self.limits.megapixels)
            return searcher.compare(
                content,
                wishes.k,
                box=wishes.box,
                category=wishes.category,
                colour_weight=wishes.colour,
                models=wishes.models or searcher.models[-1:],
            )

        return await self._searches.run(work, self.limits.search_seconds)

    async def similar(self, row: int, wishes: Wishes) -> list[Answer]:
        """What each model finds near a picture of the index. Raises Refusal or UserError."""
        served = self.served
        hit = served.hit(row)

        def work() -> list[Answer]:
            options = {"category": wishes.category, "colour_weight": wishes.colour}
            names = wishes.models or served.searcher.models[-1:]
            return [served.searcher.like(hit.row, wishes.k, **options, model=name) for name in names]

        return await self._searches.run(work, self.limits.search_seconds)

    def browse(self, shelf: Shelf) -> tuple[list[Hit], int]:
        """Pictures of the index in their order, and how many there are in all. Raises UserError."""
        searcher, category = self.served.searcher, shelf.category
        hits = searcher.browse(category, shelf.start, shelf.count)
        return hits, len(searcher) if category is None else len(searcher.categories[category])

    async def picture(self, row: int, side: int) -> bytes | None:
        """A JPEG of a picture of the index, no side above `side`; None when it is gone. Raises Refusal."""
        served = self.served
        hit = served.hit(row)
        try:
            return await self._pictures.run(lambda: served.jpeg(hit.row, side), PICTURE_SECONDS)
        except UnreadableImage:
            return None

    async def follow(self) -> None:
        """Exchange the index whenever another takes its place; one that cannot be read is told, and passed over."""
        passed_over = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                stamp = self._stamp()
            except UserError:  # being exchanged, or gone: what is in memory is searched
                continue
            if stamp in (self.served.stamp, passed_over):
                continue
            try:
                self.served = await asyncio.to_thread(self._serve)
                self._say(f"the index has changed: {len(self.served.searcher):,} pictures")
            except Exception as error:  # whatever it is, searching goes on
                passed_over = stamp
                reason = " ".join(str(error).split()) or type(error).__name__
                self._say(f"the new index is not served, the former one stays: {reason}")

    def _serve(self) -> Served:
        stamp = self._stamp()
        return Served(self._load(), stamp)
