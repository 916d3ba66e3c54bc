"""The models of an index: the backbone with its own head (baseline), and with each head that was adapted."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.features.store import model_mark
from pipeline.models.folder import load_heads
from pipeline.models.head import Head
from pipeline.params.index import IndexParams
from pipeline.retrieval.index.folder import Facts, Model

BASELINE = "baseline"


def index_heads(
    names: Sequence[str], backbone: Path, adapter: Path
) -> tuple[dict[str, tuple[Path, Head | None]], list[str]]:
    """For each model its folder and its head, None for that of the stored embeddings; and the names that are none.

    Where nothing was adapted there is the baseline alone, whatever is asked for.
    """
    adapted = load_heads(adapter)
    heads: dict[str, tuple[Path, Head | None]] = {}
    for name in names:
        if name == BASELINE:
            heads[name] = (backbone, None)
        elif name in adapted:
            heads[name] = (adapter / name, adapted[name])
    missing = [name for name in names if name not in heads]
    return heads or {BASELINE: (backbone, None)}, missing


def index_facts(part: str, folders: Mapping[str, Path], backbone: Path, params: IndexParams) -> Facts:
    """The facts of an index that is to be built, of models in these folders."""
    return Facts(
        part=part,
        rows=0,
        next_row=0,
        backbone=Model(backbone.as_posix(), model_mark(backbone)),
        models={name: Model(folder.as_posix(), model_mark(folder)) for name, folder in folders.items()},
        metric=params.metric,
        colour_metric=params.colour_metric,
        shortlist=0 if params.engine == "kmeans" else params.shortlist,
    )
