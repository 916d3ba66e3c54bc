"""Section `data`: which sets, read from where, and which categories of theirs stand for one another."""

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
