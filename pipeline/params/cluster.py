"""Section `cluster`: FINCH."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import Section


class ClusterParams(Section):
    """`partition`: index of the FINCH partition to use, 0 the finest; `prune`: the distance threshold of FINCH.

    `exact_rows`: pictures of a group up to which first neighbours are exact; beyond, approximate.
    """

    metric: Literal["cosine", "euclidean", "cityblock"]
    prune: bool
    exact_rows: Annotated[int, Field(ge=1)]
    partition: Annotated[int, Field(ge=0)]
