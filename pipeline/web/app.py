"""The routes: pages, the API beside them, pictures."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pipeline.base.errors import UserError
from pipeline.web.guard import Guard
from pipeline.web.pages import Pages
from pipeline.web.refusals import Refusal
from pipeline.web.service import SIDES, Service
from pipeline.web.shapes import answer_shape, facts_shape, hit_shape
from pipeline.web.wishes import NAMES, Wishes, whole_number

STATIC = Path(__file__).parent / "static"
API = "/api/"
MOST = 10**9  # pictures of a catalogue, at most


def create_app(service: Service, hosts: Collection[str] = (), *, any_address: bool = False) -> ASGIApp:
    """The page and the API of `service`, for browsers that know the server by one of `hosts`; see Guard."""
    pages = Pages(service)

    async def home(request: Request) -> Response:
        start = whole_number("start", request.query_params.get("start") or "0", 0, MOST)
        return pages.catalogue(request, request.query_params.get("category") or None, start)

    async def ask(request: Request) -> Response:
        content, fields = await service.uploads.read(request)
        wishes = Wishes.of(fields, service.limits)
        return pages.answers(request, await service.search(content, wishes), wishes)

    async def similar(request: Request) -> Response:
        row, wishes = request.path_params["row"], _wishes(request)
        return pages.answers(request, await service.similar(row, wishes), wishes, service.served.hit(row))

    async def api_search(request: Request) -> Response:
        content, fields = await service.uploads.read(request)
        answers = await service.search(content, Wishes.of(fields, service.limits))
        return JSONResponse({"answers": [answer_shape(answer) for answer in answers]})

    async def api_similar(request: Request) -> Response:
        answers = await service.similar(request.path_params["row"], _wishes(request))
        return JSONResponse({"answers": [answer_shape(answer) for answer in answers]})

    async def api_catalogue(request: Request) -> Response:
        query = request.query_params
        start = whole_number("start", query.get("start") or "0", 0, MOST)
        count = whole_number("count", query.get("count") or "50", 1, service.limits.results)
        category = query.get("category") or None
        searcher = service.served.searcher
        hits = searcher.browse(category, start, count)
        total = len(searcher) if category is None else len(searcher.categories[category])
        return JSONResponse({"total": total, "start": start, "hits": [hit_shape(hit) for hit in hits]})

    async def api_index(_: Request) -> Response:
        return JSONResponse(facts_shape(service.served.searcher, service.limits))

    async def picture(request: Request) -> Response:
        size = request.path_params.get("size", "small")
        if size not in SIDES:
            raise Refusal(404, f"pictures are {' or '.join(SIDES)}")
        tag = service.served.tag
        jpeg = await service.picture(request.path_params["row"], size)
        if jpeg is None:
            return FileResponse(STATIC / "placeholder.svg", headers={"Cache-Control": "no-store"})
        # An address with the tag of the index always means the same picture.
        lasting = request.query_params.get("v") == tag
        cached = "private, max-age=31536000, immutable" if lasting else "no-cache"
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": cached})

    async def favicon(_: Request) -> Response:
        return FileResponse(STATIC / "favicon.svg")

    def _wishes(request: Request) -> Wishes:
        given = [(name, text) for name, text in request.query_params.multi_items() if name in NAMES and name != "box"]
        return Wishes.of(given, service.limits)

    async def refused(request: Request, error: Exception) -> Response:
        match error:
            case Refusal():
                status, text, headers = error.status, str(error), error.headers
            case UserError():
                status, text, headers = 422, str(error), {}
            case HTTPException():
                known = {404: "there is no such page", 405: "this address does not take that method"}
                status, headers = error.status_code, dict(error.headers or {})
                text = known.get(status, error.detail)
            case _:
                status, text, headers = 500, "the server failed; its log says why", {}
        if request.url.path.startswith(API):
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
            Route("/", home, methods=["GET"]),
            Route("/", ask, methods=["POST"]),
            Route("/similar/{row:int}", similar, methods=["GET"]),
            Route("/picture/{row:int}", picture, methods=["GET"]),
            Route("/picture/{row:int}/{size}", picture, methods=["GET"]),
            Route(f"{API}search", api_search, methods=["POST"]),
            Route(f"{API}similar/{{row:int}}", api_similar, methods=["GET"]),
            Route(f"{API}catalogue", api_catalogue, methods=["GET"]),
            Route(f"{API}index", api_index, methods=["GET"]),
            Route("/favicon.ico", favicon, methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={Refusal: refused, UserError: refused, HTTPException: refused, Exception: refused},
        lifespan=lifespan,
    )
    return Guard(app, hosts, any_address=any_address)
