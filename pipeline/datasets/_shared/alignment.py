"""The alignment of the chosen dataset: which source categories stand for a target category."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.base.errors import UserError
from pipeline.datasets._shared.face import Alignment
from pipeline.params.base import read_section
from pipeline.params.data import DataParams


def read_alignment(params: dict[str, Any]) -> Alignment:
    """`datasets.<data.dataset>.alignment`. Raises UserError when it is not a mapping of names to lists of names."""
    name = f"datasets.{read_section(params, 'data', DataParams).dataset}.alignment"
    section = params.get("datasets", {}).get(name.split(".")[1]) or {}
    try:
        return TypeAdapter(Alignment).validate_python(section.get("alignment"), strict=True)
    except ValidationError:
        raise UserError(f"{name}: expected target categories, each with a list of source categories") from None
