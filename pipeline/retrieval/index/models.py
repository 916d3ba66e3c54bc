"""The models of an index: the backbone with its own head (baseline), and with each head of the stage adapt."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.base.names import ModelName
from pipeline.features.store import NONE_TO_LEARN_FROM, model_mark
from pipeline.features.views import Views, lacks_views, without_views
from pipeline.models.folder import Adapted, load_heads
from pipeline.params.index import IndexParams
from pipeline.retrieval.index.folder import Facts, Model


def index_heads(
    names: Sequence[str], backbone: Path, adapter: Path, views: Views, rows: np.ndarray, *, by_attribute: bool = False
) -> tuple[dict[str, tuple[Path, Adapted | None]], list[str]]:
    """For each model its folder and what it is, None for the stored embeddings; and what to say of those missing.

    `views`: of the part; a model that mixes them in is missing unless all catalogue pictures `rows` (n,) have some.
    Where no model is left there is the baseline alone, whatever is asked for; so it is for features `by_attribute`.
    """
    if by_attribute:
        others = [] if set(names) <= {ModelName.BASELINE} else [f"by the baseline alone: {NONE_TO_LEARN_FROM}"]
        return {str(ModelName.BASELINE): (backbone, None)}, others
    adapted = load_heads(adapter)
    lacking = without_views({name: adapted[name] for name in names if name in adapted}, views, rows)
    heads: dict[str, tuple[Path, Adapted | None]] = {}
    for name in names:
        if name == ModelName.BASELINE:
            heads[name] = (backbone, None)
        elif name in adapted and name not in lacking:
            heads[name] = (adapter / name, adapted[name])
    said = []
    if missing := [name for name in names if name not in heads and name not in lacking]:
        said.append(f"{adapter} has no model {' or '.join(missing)}; adapt.models says which are made")
    if lacking:
        said.append(lacks_views(views, lacking))
    return heads or {str(ModelName.BASELINE): (backbone, None)}, said


def index_facts(part: str, folders: Mapping[str, Path], backbone: Path, params: IndexParams, views: Path) -> Facts:
    """The facts of an index that is to be built, of models in these folders; `views`: the file of them."""
    return Facts(
        part=part,
        rows=0,
        next_row=0,
        backbone=Model(backbone.as_posix(), model_mark(backbone)),
        models={name: Model(folder.as_posix(), model_mark(folder)) for name, folder in folders.items()},
        metric=params.metric,
        colour_metric=params.colour_metric,
        shortlist=0 if params.engine == "kmeans" else params.shortlist,
        views=views.as_posix(),
    )
