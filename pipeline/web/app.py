"""All addresses, and what is said where something is wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pipeline.base.errors import EngineDown, UserError
from pipeline.web.api import Api
from pipeline.web.guard import Guard
from pipeline.web.pages import Pages
from pipeline.web.pictures import STATIC, Pictures
from pipeline.web.refusals import Refusal
from pipeline.web.service import Service

LOG = logging.getLogger(__name__)
API = "/api"
SAID = {404: "there is no such page", 405: "this address does not take that method"}


class _Row(Convertor[int]):
    """The number of a picture. Its digits are few: `int` itself fails where there are thousands."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("row", _Row())


def create_app(service: Service, hosts: Collection[str] = (), *, any_address: bool = False) -> ASGIApp:
    """The page and the API of `service`, for browsers that know the server by one of `hosts`; see Guard."""
    pages, api, pictures = Pages(service), Api(service), Pictures(service)

    async def refused(request: Request, error: Exception) -> Response:
        status, text, headers = _told(error)
        if request.url.path.startswith(f"{API}/"):
            return JSONResponse({"error": text}, status, headers)
        return pages.error(request, status, text, headers)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(service.follow())
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    app = Starlette(
        routes=[
            Route("/", pages.home, methods=["GET"]),
            Route("/", pages.search, methods=["POST"]),
            Route("/similar/{row:row}", pages.similar, methods=["GET"]),
            Route("/picture/{row:row}", pictures.small, methods=["GET"]),
            Route("/picture/{row:row}/large", pictures.large, methods=["GET"]),
            Route(f"{API}/search", api.search, methods=["POST"]),
            Route(f"{API}/similar/{{row:row}}", api.similar, methods=["GET"]),
            Route(f"{API}/catalogue", api.catalogue, methods=["GET"]),
            Route(f"{API}/index", api.index, methods=["GET"]),
            Route("/favicon.ico", _favicon, methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers=dict.fromkeys((Refusal, UserError, HTTPException, Exception), refused),
        lifespan=lifespan,
    )
    return Guard(app, hosts, any_address=any_address)


def _told(error: Exception) -> tuple[int, str, dict[str, str]]:
    """Status, one line, and headers."""
    match error:
        case EngineDown():  # where it is asked, clients need not know
            LOG.error("%s", error)
            return 503, "the search engine does not answer; try again in a moment", {"Retry-After": "10"}
        case Refusal():
            return error.status, str(error), error.headers
        case UserError():
            return 422, str(error), {}
        case HTTPException():
            return error.status_code, SAID.get(error.status_code, error.detail), dict(error.headers or {})
    return 500, "the server failed; its log says why", {}


async def _favicon(_: Request) -> Response:
    return FileResponse(STATIC / "favicon.svg")
