"""Section `evaluate`: protocol, confidence intervals, pictures."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import AsTuple, Section


class EvaluateParams(Section):
    """Whose queries search by which protocol (a name of `pipeline.evaluation.protocols.PROTOCOLS`, or auto).

    `metrics`: keys of `pipeline.evaluation.metric` that are told beside those of the protocol.
    `meta_domain` auto: the target where it has test pictures, else the source.
    `bootstrap`: resamples of the items; `sheets`: fixed queries a category whose results are drawn.
    """

    meta_domain: Literal["auto", "target", "source"]
    protocol: str
    metrics: Annotated[tuple[str, ...], AsTuple]
    precision: Literal["float32", "float64"]
    bootstrap: Annotated[int, Field(ge=1)]
    sheets: Annotated[int, Field(ge=0)]
