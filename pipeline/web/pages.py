"""The pages, from templates. A page is whole, or (`?part=results`) only what the script puts into the one at hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pipeline.retrieval.answers import Answer, Hit
from pipeline.web.service import Service
from pipeline.web.shapes import facts_shape, web_link
from pipeline.web.wishes import Wishes

TEMPLATES = Path(__file__).parent / "templates"
SHELF = 60  # pictures on a page of the catalogue


class Pages:
    """Writes what `service` answers as HTML."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["web_link"] = web_link

    def catalogue(self, request: Request, category: str | None, start: int) -> Response:
        """What there is, a page from picture `start` on. Raises UserError for an unknown category."""
        searcher = self._service.served.searcher
        hits = searcher.browse(category, start, SHELF)
        total = len(searcher) if category is None else len(searcher.categories[category])
        return self._page(
            request,
            "catalogue.html",
            wishes=Wishes(category=category),
            hits=hits,
            start=start,
            total=total,
            before=_shelf(category, max(start - SHELF, 0)) if start else None,
            after=_shelf(category, start + SHELF) if start + SHELF < total else None,
        )

    def answers(self, request: Request, answers: Sequence[Answer], wishes: Wishes, asked: Hit | None = None) -> Response:
        """What was found, for a picture that was sent or for that of the catalogue."""
        return self._page(request, "answers.html", wishes=wishes, answers=answers, asked=asked)

    def error(self, request: Request, status: int, text: str, headers: Mapping[str, str]) -> Response:
        """One line that says what is wrong."""
        return self._page(request, "error.html", status, headers, wishes=Wishes(), text=text)

    def _page(
        self, request: Request, content: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        served = self._service.served
        part = request.query_params.get("part") == "results"
        html = self._templates.get_template(content if part else "page.html").render(
            content=content,
            facts=facts_shape(served.searcher, self._service.limits),
            tag=served.tag,
            **{"asked": None, "answers": None} | values,
        )
        return HTMLResponse(html, status, {"Cache-Control": "no-cache", **(headers or {})})


def _shelf(category: str | None, start: int) -> str:
    query = {name: value for name, value in (("category", category), ("start", start)) if value}
    return f"/?{urlencode(query)}" if query else "/"
