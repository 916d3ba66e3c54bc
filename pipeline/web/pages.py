"""The pages, from templates. A page is whole, or (`?part=results`) only what the script puts into the one at hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pipeline.web.service import Served, Service
from pipeline.web.shapes import facts_shape, shown_category, web_link
from pipeline.web.wishes import Shelf, Wishes

NUMBERS = (12, 24, 48, 96)  # of results, to choose from
TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """Shows people what `service` answers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"web_link": web_link, "shown": shown_category}

    async def home(self, request: Request) -> Response:
        """The catalogue, until something is asked."""
        served, limits = self._service.served, self._service.limits
        shelf = Shelf.of(request.query_params, limits, strict=False)
        hits, total = self._service.browse(served, shelf)
        before, after = shelf.start - shelf.count, shelf.start + shelf.count
        return self._page(
            request,
            served,
            "catalogue.html",
            wishes=replace(Wishes.of([], limits), category=shelf.category),
            hits=hits,
            start=shelf.start,
            total=total,
            before=_address(shelf, max(before, 0)) if shelf.start else None,
            after=_address(shelf, after) if after < total else None,
        )

    async def search(self, request: Request) -> Response:
        """What is found for a picture that was sent."""
        content, fields = await self._service.uploads.read(request)
        wishes = Wishes.of(fields, self._service.limits)
        served = self._service.served
        wishes = _alike(wishes, served.searcher.attributes)
        answers = await self._service.search(served, content, wishes)
        return self._page(request, served, "answers.html", wishes=wishes, answers=answers)

    async def similar(self, request: Request) -> Response:
        """What is found for a picture of the index."""
        row, limits = request.path_params["row"], self._service.limits
        wishes = Wishes.of_address(request.query_params, limits, strict=False)
        served = self._service.served
        asked = served.hit(row)
        wishes = _alike(wishes, served.searcher.attributes_of(row))
        answers = await self._service.similar(served, row, wishes)
        return self._page(request, served, "answers.html", wishes=wishes, answers=answers, asked=asked)

    def error(self, request: Request, status: int, text: str, headers: Mapping[str, str]) -> Response:
        """One line that says what is wrong."""
        wishes = Wishes.of([], self._service.limits)
        return self._page(request, self._service.served, "error.html", status, headers, wishes=wishes, text=text)

    def _page(
        self,
        request: Request,
        served: Served,
        content: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        most = self._service.limits.results
        part = request.query_params.get("part") == "results"
        html = self._templates.get_template(content if part else "page.html").render(
            content=content,
            facts=facts_shape(served.searcher, self._service.limits),
            tag=served.tag,
            numbers=sorted({values["wishes"].k, *(number for number in NUMBERS if number <= most)}),
            **{"asked": None, "answers": None} | values,
        )
        return HTMLResponse(html, status, headers)


def _alike(wishes: Wishes, attributes: Sequence[str]) -> Wishes:
    """The wishes, alike in the first of the attributes unless they say in what; the page shows which one it is."""
    return wishes if wishes.likes else replace(wishes, likes=tuple(attributes[:1]))


def _address(shelf: Shelf, start: int) -> str:
    query = {name: value for name, value in (("category", shelf.category), ("start", start)) if value}
    return f"/?{urlencode(query)}" if query else "/"
