"""What a client asks for, beside the picture: fields of a form, or of an address."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from pipeline.base.errors import UserError
from pipeline.images.decode import Box
from pipeline.retrieval.answers import HEAVIEST
from pipeline.retrieval.boxes import parse_box
from pipeline.web.limits import Limits
from pipeline.web.refusals import Refusal

RESULTS = 24
SHELF = 60
HIGHEST = 10**9
NAMES = ("k", "like", "box", "category", "colour", "models")


@dataclass(frozen=True)
class Wishes:
    """How a search is to be done; no `models`: the last one of the index. `likes`: attributes to be alike in."""

    k: int = RESULTS
    box: Box | None = None
    category: str | None = None
    colour: float = 0.0
    models: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Iterable[tuple[str, str]], limits: Limits) -> "Wishes":
        """From fields, of which an empty one is as if it were not there; `models` and `like` may come several times.

        Raises Refusal.
        """
        fields: dict[str, Any] = {}
        several: dict[str, list[str]] = {"models": [], "like": []}
        given = list(given)
        _check_names((name for name, _ in given), NAMES)
        for name, text in given:
            if name in several:
                several[name].append(text)
            elif name in fields:
                raise Refusal(400, f"field {name!r}: given twice")
            elif text.strip():
                fields[name] = text
        usual = str(min(RESULTS, limits.results))
        fields["k"] = _whole_number("k", fields.get("k", usual), 1, limits.results)
        if "box" in fields:
            fields["box"] = _box(fields["box"])
        if "colour" in fields:
            fields["colour"] = _number("colour", fields["colour"], HEAVIEST)
        models, likes = (tuple(dict.fromkeys(filter(None, texts))) for texts in several.values())
        return cls(**fields, models=models, likes=likes)

    @classmethod
    def of_address(cls, query: QueryParams, limits: Limits, *, strict: bool) -> "Wishes":
        """From the query of an address. A picture of the index has no box.

        Where it is not `strict`, as for addresses of the page, the query may hold other things too.
        """
        known = [name for name in NAMES if name != "box"]
        if strict:
            _check_names(query, known)
        return cls.of([(name, text) for name, text in query.multi_items() if name in known], limits)


@dataclass(frozen=True)
class Shelf:
    """`count` pictures of the catalogue, or of a category, from number `start` on."""

    category: str | None = None
    start: int = 0
    count: int = SHELF

    @classmethod
    def of(cls, query: QueryParams, limits: Limits, *, strict: bool) -> "Shelf":
        """From the query of an address, as `Wishes.of_address`. Raises Refusal."""
        if strict:
            _check_names(query, ("category", "start", "count"))
        start = _whole_number("start", query.get("start") or "0", 0, HIGHEST)
        count = _whole_number("count", query.get("count") or str(min(SHELF, limits.results)), 1, limits.results)
        return cls(query.get("category") or None, start, count)


def _check_names(given: Iterable[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise Refusal(400, f"field {name!r}: unknown; known: {', '.join(known)}")


def _box(text: str) -> Box:
    try:
        return parse_box(text)
    except UserError as error:
        raise Refusal(400, str(error)) from None


def _whole_number(name: str, text: str, least: int, most: int) -> int:
    try:
        number = int(text) if len(text) < 20 else most + 1
    except ValueError:
        raise Refusal(400, f"{name}: {text!r} is no whole number") from None
    if not least <= number <= most:
        raise Refusal(400, f"{name}: {text[:20]} is not within {least} to {most}")
    return number


def _number(name: str, text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise Refusal(400, f"{name}: {text!r} is no number") from None
    if not 0 <= number <= most:
        raise Refusal(400, f"{name}: {text[:20]} is not within 0 to {most:g}")
    return number
