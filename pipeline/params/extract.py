"""Section `extract`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised, beside their lengths, so that nothing else changes.

    `colour`, `colour_cells`: variant and cells of `pipeline.features.colours`.
    """

    normalize_pooled: bool
    colour: Literal["none", "ranked", "sorted"] = "none"
    colour_cells: Annotated[int, Field(ge=1)] = 10
