"""Fine-tuning: a recipe on the labelled source, validated on items that are held out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.base.runtime import RuntimeParams
from pipeline.features.cache import prune
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform
from pipeline.models.embedder import count_parameters
from pipeline.models.network import Network
from pipeline.params.finetune import FinetuneParams
from pipeline.table.manifest import part_rows
from pipeline.training.context import TrainingContext
from pipeline.training.fabric import start_fabric
from pipeline.training.face import KEPT, START, Recipe
from pipeline.training.frozen import FrozenFeatures
from pipeline.training.loop import Course, train
from pipeline.training.split import split_source
from pipeline.training.validation import RecallAt1, Validation


@dataclass(frozen=True)
class Finetuned:
    """The network and its kept weights, a row of figures an epoch, and what to report.

    `watched`: the figure by which the best epoch was told. A recipe that trains nothing has no rows and no such figure,
    and reports its facts.
    """

    network: Network
    weights: dict[str, Tensor]
    history: list[dict[str, float]]
    report: dict[str, Any]
    watched: str | None = None


def finetune(
    table: pd.DataFrame,
    raw: Path,
    build: Callable[[TrainingContext], Recipe],
    params: FinetuneParams,
    runtime: RuntimeParams,
    *,
    attributes: pd.DataFrame | None,
    seed: int,
    checkpoint: Path,
    say: Callable[[str], None],
) -> Finetuned:
    """Train what `build` makes on the source rows of the manifest `table`, whose pictures lie below `raw`.

    `attributes` is the table of what is known of them, for a recipe that reads it. Goes on from the file
    `checkpoint` where there is one.
    Raises UserError for params and pictures that do not fit, and when the loss stops being finite.
    """
    train_rows, val_rows = split_source(table, params.val_share, seed)
    fabric = start_fabric(runtime.device, params.precision, runtime.devices)
    torch.manual_seed(seed)
    frozen = None
    if params.model.frozen:
        cache = checkpoint.with_name("pooled") if runtime.cache is None else Path(runtime.cache)
        source = table.iloc[part_rows(table, Part.SOURCE_TRAIN)]
        frozen = FrozenFeatures(source, raw, cache, runtime, fabric.device, seed, params.augment.views)
    workers = 0 if frozen else runtime.workers  # features in memory need no loading
    recipe = build(TrainingContext(train_rows, raw, params, seed, workers, fabric, frozen, attributes, say))
    network = recipe.networks[KEPT]
    if not recipe.optimizers:
        say(f"nothing is trained: {params.recipe} gives the model as it is")
        return Finetuned(network, network.state_dict(), [], {"trained": False, **recipe.facts})
    if frozen:
        say(f"frozen backbone: features computed once, {frozen.views or 'no'} random views a picture")
    if hasattr(recipe, "validation"):
        validate: Validation = recipe.validation(val_rows, runtime)
    else:
        shown = _held_out(network, val_rows, raw, frozen)
        validate = RecallAt1(shown, val_rows, fabric, batch_size=runtime.batch_size, workers=workers)
    if params.keep == "best" and not len(validate):
        more = "" if len(val_rows) else ", or raise finetune.val_share"
        raise UserError(f"finetune.keep: best needs {validate.needs}; set it to last{more}")
    say(
        f"{params.recipe}, {params.model.backbone}, {count_parameters(network) / 1e6:.1f} M parameters, "
        f"{len(train_rows)} pictures, {len(val_rows)} held out, on {fabric.device}"
        + (f" and {fabric.world_size - 1} more" if fabric.world_size > 1 else "")
    )
    trained = train(
        recipe,
        Course(
            epochs=params.epochs,
            seed=seed,
            keep=params.keep,
            place=lambda epoch, batch: f"epoch {epoch + 1}, batch {batch + 1}",
            stage="finetune",
            rate="finetune.optim.lr",
            label="finetune",
            watched=validate.watched,
            first=validate.first,
        ),
        fabric,
        checkpoint=Checkpoint(checkpoint, runtime.checkpoint_seconds),
        say=say,
        log_steps=runtime.log_steps,
        validate=validate,
    )
    if frozen and runtime.cache is not None:
        prune(Path(runtime.cache), runtime.cache_gb * 1e9)
    kept = trained.history[trained.epoch]
    report = {"kept_epoch": trained.epoch + 1, **kept, "val_queries": len(validate)}
    if start := recipe.facts.get(START):
        report[START] = start
    return Finetuned(network, trained.weights, trained.history, report, validate.watched)


def _held_out(network: Network, rows: pd.DataFrame, raw: Path, frozen: FrozenFeatures | None) -> Dataset | Tensor:
    transform, side = inference_transform(network.input), network.input.decoded_side
    if frozen:
        return frozen.plain(network, rows, transform, side)
    return Pictures(rows, raw, transform, side, network.conditions(rows))
