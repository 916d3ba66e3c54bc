"""Stage adapt: retrain the head with the linked target pictures, and without them as the control."""

from copy import deepcopy
from pathlib import Path

from stages._cli import Run, stage

PANELS = {"loss": ["control", "adapted"]}


@stage
def main(run: Run) -> None:
    """Retrain the linear head on pooled features, one loss a category, summed; start: the fine-tuned head.

    `adapted` uses the links of target pictures to source items (at level L123 target-only clusters too); `control` is
    trained alike without target pictures, on the same draws of the source. Writes both to data/models/adapter/,
    curves to metrics/curves/adapt/. An interrupted run goes on from its last checkpoint. Without target pictures there
    is nothing to adapt to, and neither is trained.
    """
    import numpy as np
    import torch

    from pipeline.adaptation.pairs import PairSampler
    from pipeline.adaptation.products import build_products
    from pipeline.adaptation.train import train_head
    from pipeline.base.atomic import publish
    from pipeline.base.checkpoint import Checkpoint
    from pipeline.base.devices import be_deterministic, torch_device
    from pipeline.base.names import (
        ADAPTER_FOLDER,
        CATEGORY,
        DOMAIN,
        FEATURES_FOLDER,
        ITEM,
        LINKS_FILE,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        Part,
    )
    from pipeline.base.reports import write_json
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.store import open_parts
    from pipeline.models.folder import load_head, save_heads
    from pipeline.params.adapt import AdaptParams
    from pipeline.reporting.curves import write_curves
    from pipeline.table.manifest import read_manifest
    from pipeline.table.products import build_catalogue
    from pipeline.weighting.file import read_links

    params, runtime = run.section("adapt", AdaptParams), run.runtime()
    device = torch_device(runtime.device)
    be_deterministic()
    table = read_manifest(MANIFEST_FILE)
    source, target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    if not len(target.row):
        leave_as_is(run)
        return
    rows = table.iloc[source.row]
    catalogue = build_catalogue(*(rows[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM, DOMAIN)))
    products = build_products(catalogue, *read_links(LINKS_FILE, catalogue, target.row))
    fine_tuned = load_head(MODEL_FOLDER).folded()
    for features in (source, target):
        features.check_heads({MODEL_FOLDER: fine_tuned})
    pooled = torch.from_numpy(np.concatenate([source.pooled, target.pooled])).to(device)
    mark = fingerprint(
        params=[run.seed, params.model_dump()],
        inputs=[MANIFEST_FILE, source.path, target.path, LINKS_FILE, MODEL_FOLDER],
        modules=["stages.adapt"],
    )
    with workspace(Path(runtime.scratch), run.stage, mark) as folder:
        made, heads, report, curves = folder / "adapter", {}, {}, {}
        for name, used in (("control", products.without_targets()), ("adapted", products)):
            sampler = PairSampler(
                used, len(source.row), categories=params.categories, items=params.items, seed=run.seed
            )
            heads[name] = deepcopy(fine_tuned).to(device)
            checkpoint = Checkpoint(folder / f"{name}.pt", runtime.checkpoint_seconds)
            curves[name] = train_head(
                heads[name], pooled, sampler, params, name=name, checkpoint=checkpoint, say=run.say
            )
            counts = used.count()
            report[name] = counts | {"loss": curves[name][-1]["loss"]}
            run.say(
                f"{name}: {counts['supported']} of {counts['items']} items supported, loss {report[name]['loss']:.4f}"
            )
        save_heads(made, heads)
        merged = [
            {"step": one["step"], "control": one["loss"], "adapted": other["loss"]}
            for one, other in zip(curves["control"], curves["adapted"], strict=True)
        ]
        write_curves(folder / "curves", merged, x="step", panels=PANELS)
        publish(made, ADAPTER_FOLDER)
        publish(folder / "curves", METRICS_FOLDER / "curves/adapt")
        write_json(METRICS_FOLDER / "adapt.json", report)


def leave_as_is(run: Run) -> None:
    """Publish no head and empty curves."""
    from pipeline.base.atomic import replacing
    from pipeline.base.names import ADAPTER_FOLDER, METRICS_FOLDER
    from pipeline.base.reports import write_json
    from pipeline.models.folder import save_heads
    from pipeline.reporting.curves import write_curves

    with replacing(ADAPTER_FOLDER) as folder:
        save_heads(folder, {})
    with replacing(METRICS_FOLDER / "curves/adapt") as folder:
        write_curves(folder, [], x="step", panels=PANELS)
    write_json(METRICS_FOLDER / "adapt.json", {"trained": False})
    run.say("nothing to adapt to: the dataset has no target pictures to train on")


if __name__ == "__main__":
    main()
