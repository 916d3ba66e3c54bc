"""What is told about pictures and answers, to programs and to the page."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.retrieval.answers import Answer, Hit
from pipeline.web.limits import Limits

if TYPE_CHECKING:
    from pipeline.retrieval.searcher import Searcher


NO_CATEGORY = "no category"


def shown_category(name: str) -> str:
    """The name that a category is shown, and asked for, under: an empty one would be none at all."""
    return name or NO_CATEGORY


def hit_shape(hit: Hit) -> dict[str, Any]:
    """A picture without the name of its file; `link` is None unless a browser may follow it."""
    return {
        "row": hit.row,
        "item": hit.item,
        "category": shown_category(hit.category),
        "link": web_link(hit.link),
        "domain": hit.domain,
        "dataset": hit.dataset,
        "score": hit.score,
        "deep": hit.deep,
        "colour": hit.colour,
        "value": hit.value,
        "picture": f"/picture/{hit.row}",
        "similar": f"/similar/{hit.row}",
    }


def answer_shape(answer: Answer) -> dict[str, Any]:
    """What one model found, alike in an attribute if the index is by them."""
    return {
        "model": answer.model,
        "attribute": answer.attribute,
        "searched": answer.searched,
        "milliseconds": answer.milliseconds,
        "hits": [hit_shape(hit) for hit in answer.hits],
    }


def facts_shape(searcher: "Searcher", limits: Limits) -> dict[str, Any]:
    """What is searched, and what may be asked for."""
    return {
        "rows": len(searcher),
        "models": list(searcher.models),
        "attributes": list(searcher.attributes),
        "categories": {shown_category(name): len(rows) for name, rows in searcher.categories.items()},
        "colours": searcher.has_colour,
        "limits": {"upload_mb": limits.upload_mb, "megapixels": limits.megapixels, "results": limits.results},
    }


def web_link(link: str) -> str | None:
    """The address if it is one of the web: a table may hold anything, also what runs as a script."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    return link if parts.scheme in ("http", "https") and parts.netloc else None
