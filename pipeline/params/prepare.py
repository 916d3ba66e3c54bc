"""Section `prepare`: what counts as a usable picture."""

from typing import Annotated

from pydantic import Field

from pipeline.base.params import Section


class PrepareParams(Section):
    """`min_side` in pixels; `max_unreadable` the share of pictures (0..1) that cannot be used above which it fails."""

    min_side: Annotated[int, Field(ge=1)]
    max_unreadable: Annotated[float, Field(ge=0, le=1)]
