"""What the page and the API do: search in the index of the moment, which is exchanged when another takes its place."""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from time import monotonic
from typing import TYPE_CHECKING, Any

from pipeline.base.errors import UserError
from pipeline.images.decode import UnreadableImage
from pipeline.retrieval.answers import Answer, Hit
from pipeline.web.limits import Limits
from pipeline.web.line import Late, Line
from pipeline.web.refusals import Refusal
from pipeline.web.shapes import shown_category
from pipeline.web.uploads import Uploads, check_picture
from pipeline.web.wishes import Shelf, Wishes

if TYPE_CHECKING:
    from pipeline.retrieval.searcher import Searcher

KEPT = 500  # pictures that are ready to be sent; a tile has about 20 kB
PICTURES_AT_ONCE, PICTURES_WAITING = 2, 500
PICTURE_SECONDS = 20
LOOK_SECONDS = 1  # between two looks at the index
RETRY_SECONDS = 60  # until one that could not be read is tried again


class Served:
    """One index as it is served; `tag` tells its pictures from those of another."""

    def __init__(self, searcher: "Searcher", stamp: Any) -> None:
        self.searcher, self.stamp = searcher, stamp
        self.tag = sha256(repr(stamp).encode()).hexdigest()[:12]
        self.jpeg = _jpegs(searcher)
        self._categories = {shown_category(name): name for name in searcher.categories}

    def category(self, shown: str | None) -> str | None:
        """The category that is shown under that name."""
        return self._categories.get(shown, shown)

    def hit(self, row: int) -> Hit:
        """The picture of that number. Raises Refusal when there is none."""
        try:
            return self.searcher.hit(row)
        except UserError as error:
            raise Refusal(404, str(error)) from None


def _jpegs(searcher: "Searcher") -> Callable[[int, int], bytes]:
    """Gives pictures as JPEG. It knows the searcher alone: in a circle, a former index would stay for a while."""

    @lru_cache(KEPT)
    def jpeg(row: int, side: int) -> bytes:
        picture = searcher.picture(row, side)
        picture.thumbnail((side, side))
        encoded = BytesIO()
        picture.save(encoded, "JPEG", quality=85)
        return encoded.getvalue()

    return jpeg


class Service:
    """Answers from the index that `load` gives, as long as `stamp` says that it is the same one.

    Both raise UserError. `say` is for the log. A request takes `served` once, and hands it to all that it calls: what
    it shows is then of one index, whatever takes its place meanwhile.
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

    async def search(self, served: Served, content: bytes, wishes: Wishes) -> list[Answer]:
        """What each model finds for an encoded picture. Raises Refusal or UserError."""
        searcher = served.searcher

        def work() -> list[Answer]:
            check_picture(content, self.limits.megapixels)
            return searcher.compare(
                content,
                wishes.k,
                likes=wishes.likes,
                box=wishes.box,
                category=served.category(wishes.category),
                colour_weight=wishes.colour,
                models=wishes.models or searcher.models[-1:],
            )

        return await self._searches.run(work, self.limits.search_seconds)

    async def similar(self, served: Served, row: int, wishes: Wishes) -> list[Answer]:
        """What each model finds near a picture of the index. Raises Refusal or UserError."""
        hit = served.hit(row)

        def work() -> list[Answer]:
            options = {"category": served.category(wishes.category), "colour_weight": wishes.colour}
            names = wishes.models or served.searcher.models[-1:]
            asked = [(like, name) for like in wishes.likes or (None,) for name in names]
            return [served.searcher.like(hit.row, wishes.k, like=like, **options, model=name) for like, name in asked]

        return await self._searches.run(work, self.limits.search_seconds)

    def browse(self, served: Served, shelf: Shelf) -> tuple[list[Hit], int]:
        """Pictures of the index in their order, and how many there are in all. Raises UserError."""
        searcher, category = served.searcher, served.category(shelf.category)
        hits = searcher.browse(category, shelf.start, shelf.count)
        return hits, len(searcher) if category is None else len(searcher.categories[category])

    async def picture(self, served: Served, row: int, side: int) -> bytes | None:
        """A JPEG of a picture of the index, no side above `side`; None when it is gone, or late. Raises Refusal."""
        hit = served.hit(row)
        try:
            return await self._pictures.run(lambda: served.jpeg(hit.row, side), PICTURE_SECONDS)
        except (UnreadableImage, Late):
            return None

    async def follow(self) -> None:
        """Exchange the index whenever another takes its place; one that cannot be read is told, and tried anew."""
        failed, again = None, 0.0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                stamp = self._stamp()
            except UserError:  # being exchanged, or gone: what is in memory is searched
                continue
            if stamp == self.served.stamp or (stamp == failed and monotonic() < again):
                continue
            try:
                self.served = await asyncio.to_thread(self._serve)
                self._say(f"the index has changed: {len(self.served.searcher):,} pictures")
            except Exception as error:  # whatever it is, searching goes on
                if stamp != failed:  # once is enough
                    reason = " ".join(str(error).split()) or type(error).__name__
                    self._say(f"the new index is not served, the former one stays: {reason}")
                failed, again = stamp, monotonic() + RETRY_SECONDS

    def _serve(self) -> Served:
        stamp = self._stamp()
        return Served(self._load(), stamp)
