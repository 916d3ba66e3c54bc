"""Section `data`: which sets, read from where, and which categories of theirs stand for one another."""

import os
from typing import Annotated

from pydantic import Field, field_validator

from pipeline.base.params import AsTuple, Section

# target category -> the source categories it is aligned with
Alignment = dict[str, list[str]]


class DataParams(Section):
    """`sets` are folders of `pipeline.datasets`; `source` holds a folder for each of them, which DVC watches."""

    sets: Annotated[tuple[str, ...], AsTuple, Field(min_length=1)]
    source: str
    alignment: Alignment

    @field_validator("sets")
    @classmethod
    def _differ(cls, sets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(sets)) < len(sets):
            raise ValueError("should differ from one another")
        return sets

    @field_validator("source")
    @classmethod
    def _as_it_is(cls, source: str) -> str:
        # DVC puts it into paths of dependencies as it is written.
        if source.startswith("~") or "$" in source:
            written = os.path.expanduser(os.path.expandvars(source))  # noqa: PTH111  texts, no paths
            raise ValueError(f"should be written out, as DVC expands neither ~ nor variables: {written!r}")
        return source
