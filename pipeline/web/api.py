"""The API: what the pages show, as JSON."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse

from pipeline.retrieval.answers import Answer
from pipeline.web.service import Service
from pipeline.web.shapes import answer_shape, facts_shape, hit_shape
from pipeline.web.wishes import Shelf, Wishes


class Api:
    """Answers programs from `service`. docs/serving.md shows each of the calls."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def search(self, request: Request) -> JSONResponse:
        """With a picture that is sent."""
        content, fields = await self._service.uploads.read(request)
        wishes = Wishes.of(fields, self._service.limits)
        return _answers(await self._service.search(self._service.served, content, wishes))

    async def similar(self, request: Request) -> JSONResponse:
        """With a picture of the index."""
        wishes = Wishes.of_address(request.query_params, self._service.limits, strict=True)
        return _answers(await self._service.similar(self._service.served, request.path_params["row"], wishes))

    async def catalogue(self, request: Request) -> JSONResponse:
        """The pictures of the index, in their order."""
        shelf = Shelf.of(request.query_params, self._service.limits, strict=True)
        hits, total = self._service.browse(self._service.served, shelf)
        return JSONResponse({"total": total, "start": shelf.start, "hits": [hit_shape(hit) for hit in hits]})

    async def index(self, _: Request) -> JSONResponse:
        """What is searched."""
        return JSONResponse(facts_shape(self._service.served.searcher, self._service.limits))


def _answers(answers: Sequence[Answer]) -> JSONResponse:
    return JSONResponse({"answers": [answer_shape(answer) for answer in answers]})
