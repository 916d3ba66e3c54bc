"""Stage adapt: retrain the head with the linked target pictures, and without them as the control."""

from pathlib import Path

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Retrain the linear head on pooled features, one loss a category, summed; start: the fine-tuned head.

    `adapted` uses the links of target pictures to source items (at level L123 target-only clusters too); `control` is
    trained alike without target pictures, on the same draws of the source. Writes both to data/models/adapter/,
    curves to metrics/curves/adapt/. An interrupted run goes on from its last checkpoint. Without target pictures there
    is nothing to adapt to, and neither is trained. Several processes may train together, as in finetune.
    """
    from pipeline.adaptation.adapt import ADAPTED, CONTROL, adapt, leave_as_is
    from pipeline.adaptation.products import build_products
    from pipeline.base.atomic import publish
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
    from pipeline.base.processes import is_first
    from pipeline.base.reports import write_json
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.store import open_parts
    from pipeline.models.folder import load_head, save_heads
    from pipeline.params.adapt import AdaptParams
    from pipeline.table.manifest import read_manifest
    from pipeline.table.products import build_catalogue
    from pipeline.training.curves import write_curves
    from pipeline.weighting.file import read_links

    params, runtime = run.section("adapt", AdaptParams), run.runtime()
    table = read_manifest(MANIFEST_FILE)
    source, target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    products = None
    if len(target.row):
        rows = table.iloc[source.row]
        catalogue = build_catalogue(*(rows[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM, DOMAIN)))
        products = build_products(catalogue, *read_links(LINKS_FILE, catalogue, target.row))
        head = load_head(MODEL_FOLDER).folded()
        for features in (source, target):
            features.check_heads({MODEL_FOLDER: head})
    mark = fingerprint(
        params=[run.seed, params.model_dump()],
        inputs=[MANIFEST_FILE, source.path, target.path, LINKS_FILE, MODEL_FOLDER],
        modules=["stages.adapt"],
    )
    with workspace(Path(runtime.scratch), run.stage, mark) as folder:
        if products is None:
            made = leave_as_is(run.say)
        else:
            common = {"params": params, "runtime": runtime, "seed": run.seed, "folder": folder, "say": run.say}
            made = adapt(head, source.pooled, target.pooled, products, **common)
        if not is_first():
            return
        save_heads(folder / "adapter", made.heads)
        write_curves(folder / "curves", made.curve, x="step", panels={"loss": [CONTROL, ADAPTED]})
        publish(folder / "adapter", ADAPTER_FOLDER)
        publish(folder / "curves", METRICS_FOLDER / "curves/adapt")
        write_json(METRICS_FOLDER / "adapt.json", made.report)


if __name__ == "__main__":
    main()
