"""Section `index`: what the index holds, and how it is searched."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.names import AdaptedName, Distance, PartName
from pipeline.base.params import AsTuple, Section

AtLeastOne = Annotated[int, Field(ge=1)]


class MilvusParams(Section):
    """Where Milvus answers, and what the collection of a model is called: `<collection>_<model>`."""

    uri: Annotated[str, Field(pattern=r"^https?://")]
    collection: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    index: Literal["FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW"]
    lists: Annotated[int, Field(ge=1, le=65_536)] | None
    probes: Annotated[int, Field(ge=1)] | None


class IndexParams(Section):
    """Which pictures are found, by which models, with which engine; see params.yaml.

    `lists`, `probes`: null for what `pipeline.retrieval.engines.tune` chooses.
    """

    part: Literal["auto", PartName]
    domain: Literal["shop", "consumer", "any"]
    dataset: str | None
    models: Annotated[tuple[Literal["baseline", AdaptedName], ...], AsTuple, Field(min_length=1)]
    engine: Literal["auto", "flat", "ivf", "kmeans", "milvus"]
    exact_rows: AtLeastOne
    recall: Annotated[float, Field(gt=0, le=1)]
    lists: AtLeastOne | None
    probes: AtLeastOne | None
    shortlist: Annotated[int, Field(ge=1)]
    metric: Distance
    colour_metric: Distance
    milvus: MilvusParams
