"""Section `extract`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.names import PartName
from pipeline.base.params import AsTuple, Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised, beside their lengths, so that nothing else changes.

    `colour`, `colour_cells`: variant and cells of `pipeline.features.colours`, for the pictures of `colour_parts`.
    """

    normalize_pooled: bool
    colour: Literal["none", "ranked", "sorted"]
    colour_cells: Annotated[int, Field(ge=1)]
    colour_parts: Annotated[tuple[PartName, ...], AsTuple]
