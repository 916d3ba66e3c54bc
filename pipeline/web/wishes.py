"""What a client asks for, beside the picture: fields of a form, or of an address."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipeline.images.decode import Box
from pipeline.retrieval.boxes import parse_box
from pipeline.web.limits import Limits
from pipeline.web.refusals import Refusal

RESULTS = 24
NAMES = ("k", "box", "category", "colour", "models")


@dataclass(frozen=True)
class Wishes:
    """How a search is to be done; no `models`: the last one of the index."""

    k: int = RESULTS
    box: Box | None = None
    category: str | None = None
    colour: float = 0.0
    models: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Iterable[tuple[str, str]], limits: Limits) -> "Wishes":
        """From fields, of which an empty one is as if it were not there; `models` may come several times.

        Raises Refusal or UserError.
        """
        fields: dict[str, Any] = {}
        models = []
        for name, text in given:
            if name not in NAMES:
                raise Refusal(400, f"field {name!r}: unknown; known: {', '.join(NAMES)}")
            if name == "models":
                models.append(text)
            elif name in fields:
                raise Refusal(400, f"field {name!r}: given twice")
            elif text.strip():
                fields[name] = text
        if "k" in fields:
            fields["k"] = whole_number("k", fields["k"], 1, limits.results)
        if "box" in fields:
            fields["box"] = parse_box(fields["box"])
        if "colour" in fields:
            fields["colour"] = _number("colour", fields["colour"])
        return cls(**fields, models=tuple(dict.fromkeys(filter(None, models))))


def whole_number(name: str, text: str, least: int, most: int) -> int:
    """The number that a client gave as `text`. Raises Refusal when it is none, or out of range."""
    try:
        number = int(text) if len(text) < 20 else most + 1
    except ValueError:
        raise Refusal(400, f"{name}: {text!r} is no whole number") from None
    if not least <= number <= most:
        raise Refusal(400, f"{name}: {text[:20]} is not within {least} to {most}")
    return number


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refusal(400, f"{name}: {text!r} is no number") from None
