"""Stage evaluate: the models of a run under one protocol."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Search with the baseline and every model that adapt made, and say what each finds.

    evaluate.meta_domain says whose test part it is, evaluate.protocol which gallery a query searches and what is
    measured. Where nothing was adapted there is the baseline alone, and each branch of it where a picture is embedded
    for an attribute.
    Writes metrics/evaluate.json (means), categories.json (each category), gains.json (95 % intervals) and evaluate.md
    (the table), and pictures to metrics/plots/: CMC curves, bars a category, a sheet for each of some fixed queries;
    all metrics of every single query to data/queries.parquet.
    """
    import torch

    from pipeline.base.devices import torch_device
    from pipeline.base.names import (
        ADAPTER_FOLDER,
        ATTRIBUTES,
        ATTRIBUTES_FILE,
        DATASET,
        FEATURES_FOLDER,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        QUERIES_FILE,
        RAW_FOLDER,
        SPLIT,
        VIEWS_FOLDER,
        MetaDomain,
    )
    from pipeline.base.parquet import write_parquet
    from pipeline.evaluation.by_query import by_query
    from pipeline.evaluation.compared import compared
    from pipeline.evaluation.evaluate import evaluate
    from pipeline.evaluation.protocols import PROTOCOLS, choose_protocol, with_metrics
    from pipeline.features.store import open_parts
    from pipeline.features.views import open_views
    from pipeline.models.folder import load_heads
    from pipeline.params.data import DataParams
    from pipeline.params.evaluate import EvaluateParams
    from pipeline.reporting.contact_sheet import TOP
    from pipeline.reporting.evaluation import write_evaluation
    from pipeline.table.attributes import read_attributes
    from pipeline.table.manifest import check_part, evaluated_part, has_pictures, part_rows, read_manifest

    params, runtime = run.section("evaluate", EvaluateParams), run.runtime()
    manifest, device = read_manifest(MANIFEST_FILE), torch_device(runtime.device)
    part = evaluated_part(manifest, params.meta_domain)
    (features,) = open_parts(FEATURES_FOLDER, [part], manifest, MODEL_FOLDER)
    rows, of_attributes = part_rows(manifest, part), features.condition is not None
    check_part(MANIFEST_FILE, part, rows)
    datasets = list(dict.fromkeys(manifest[DATASET].iloc[rows].to_numpy(dtype=str).tolist()))
    splits = manifest[SPLIT].to_numpy(dtype=str)[rows]
    protocol = choose_protocol(params.protocol, datasets, splits, of_attributes=of_attributes)
    made = {} if of_attributes else load_heads(ADAPTER_FOLDER)  # they are of features of pictures
    views = open_views(VIEWS_FOLDER / f"{part}.h5", manifest, MODEL_FOLDER)
    features.check_heads({ADAPTER_FOLDER / name: model.head for name, model in made.items()})
    known = read_attributes(ATTRIBUTES_FILE) if protocol == ATTRIBUTES else None
    options = {"device": device, "block_rows": runtime.block_rows, "say": run.say}
    table, models = compared(manifest, part, features, made, views, known=known, **options)
    # Only target categories are aligned.
    aligned = part.startswith(MetaDomain.TARGET) and protocol != ATTRIBUTES
    alignment = run.section("data", DataParams).alignment if aligned else {}
    pictured = has_pictures(table)
    evaluation = evaluate(
        models,
        table,
        with_metrics(PROTOCOLS[protocol], params.metrics),
        aligned=[name for name, listed in alignment.items() if listed],
        device=device,
        dtype=getattr(torch, params.precision),
        resamples=params.bootstrap,
        seed=run.seed,
        examples=params.sheets if pictured else 0,
        shown=TOP,
    )
    write_parquet(QUERIES_FILE, by_query(evaluation))
    said = write_evaluation(METRICS_FOLDER, evaluation, RAW_FOLDER)
    if params.sheets and not pictured:
        run.say(f"no sheets of results: {datasets[0]} has no pictures")
    run.say(f"protocol {protocol} on {part}")
    run.say(said)


if __name__ == "__main__":
    main()
