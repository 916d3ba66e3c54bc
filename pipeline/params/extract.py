"""Section `extract`."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.names import PartName
from pipeline.base.params import AsTuple, Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised, beside their lengths, so that nothing else changes.

    `attributes`: of a network that embeds a picture for an attribute, the pairs of both that there are rows for, see
    `pipeline.features.asked`.
    `colour`, `colour_cells`: variant and cells of `pipeline.features.colours`, for the pictures of `colour_parts`.
    """

    normalize_pooled: bool
    attributes: Literal["labelled", "all"] | Annotated[tuple[str, ...], AsTuple, Field(min_length=1)]
    colour: Literal["none", "ranked", "sorted"]
    colour_cells: Annotated[int, Field(ge=1)]
    colour_parts: Annotated[tuple[PartName, ...], AsTuple]
