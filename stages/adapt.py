"""Stage adapt: the models that are made of the fine-tuned one."""

from pathlib import Path

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Make the models of adapt.models: heads in closed form, the mix of views to index by, and UDMA's retrained heads.

    `control` is the best use of the source alone: pooled features whitened within its items. `viewed` is the same, and
    indexes the target's catalogue by views of its pictures. What helps is measured on held-out items of the source.
    `linked` and `udma` are retrained with the target pictures that are linked to source items, from the control and
    from the fine-tuned head; `udma_control` alike without them, on the same draws of the source. Writes all to
    data/models/adapter/, curves and what was tried to metrics/curves/adapt/. An interrupted run goes on from its last
    checkpoint. Several processes may train together, as in finetune.
    """
    from pipeline.adaptation.models import Made, Target, make_models
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
        VIEWS_FOLDER,
        Part,
    )
    from pipeline.base.processes import is_first
    from pipeline.base.reports import write_json
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.control.figure import trials_figure
    from pipeline.control.held_out import Source
    from pipeline.features.store import NONE_TO_LEARN_FROM, open_parts
    from pipeline.features.views import open_views
    from pipeline.models.folder import load_head, save_heads
    from pipeline.params.adapt import AdaptParams
    from pipeline.table.domains import domain_codes
    from pipeline.table.manifest import read_manifest
    from pipeline.table.products import build_catalogue, product_codes
    from pipeline.training.curves import write_curves
    from pipeline.weighting.file import read_links

    params, runtime = run.section("adapt", AdaptParams), run.runtime()
    table = read_manifest(MANIFEST_FILE)
    of_source, of_target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    views = open_views(VIEWS_FOLDER / f"{Part.SOURCE_TRAIN}.h5", table, MODEL_FOLDER)
    head, rows = load_head(MODEL_FOLDER), table.iloc[of_source.row]
    for features in (of_source, of_target):
        features.check_heads({MODEL_FOLDER: head})
    domain = domain_codes(rows[DOMAIN])
    source = Source(of_source.pooled, domain, product_codes(rows), of_source.row, head, views, params.width)
    catalogue = build_catalogue(*(rows[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM, DOMAIN)))
    links = read_links(LINKS_FILE, catalogue, of_target.row) if len(of_target.row) else None

    def target() -> Target:
        products = build_products(catalogue, *links)
        return Target(of_target.pooled, domain_codes(table[DOMAIN].iloc[of_target.row]), products)

    mark = fingerprint(
        params=[run.seed, params.model_dump()],
        inputs=[MANIFEST_FILE, of_source.path, of_target.path, views.path, LINKS_FILE, MODEL_FOLDER],
        modules=["stages.adapt"],
    )
    with workspace(Path(runtime.scratch), run.stage, mark) as folder:
        common = {"params": params, "runtime": runtime, "seed": run.seed, "folder": folder, "say": run.say}
        if of_source.attributes:
            made = Made({}, None, [], {})
            run.say(f"no model beside the baseline: {NONE_TO_LEARN_FROM}")
        else:
            made = make_models(source, target if links else None, **common)
        if not is_first():
            return
        save_heads(folder / "adapter", made.models)
        write_curves(folder / "curves", made.curve, x="step", panels={"loss": made.trained})
        trials_figure(made.choice, folder / "curves/tried.png")
        publish(folder / "adapter", ADAPTER_FOLDER)
        publish(folder / "curves", METRICS_FOLDER / "curves/adapt")
        write_json(METRICS_FOLDER / "adapt.json", made.report)


if __name__ == "__main__":
    main()
