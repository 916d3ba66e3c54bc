"""Section `views`: which street views are drawn."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.names import PartName
from pipeline.base.params import AsTuple, Section

Kind = Literal["street", "own_ground", "augment"]  # `KINDS` of pipeline.views.view


class ViewsParams(Section):
    """`number` views of each of `kinds`, of the catalogue pictures of `parts`; see params.yaml.

    `items`: of source_train pictures of so many items at most; `photos`: consumer pictures that grounds come from.
    """

    kinds: Annotated[tuple[Kind, ...], AsTuple, Field(min_length=1)]
    number: Annotated[int, Field(ge=0)]
    items: Annotated[int, Field(ge=0)]
    photos: Annotated[int, Field(ge=1)]
    parts: Literal["auto"] | Annotated[tuple[PartName, ...], AsTuple]

    @property
    def drawn(self) -> dict[str, int]:
        """Kind -> views of it."""
        return dict.fromkeys(self.kinds, self.number)
