"""Stage prepare: the dataset as one checked table."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Turn the files of the dataset into data/manifest.parquet, one row an image, and check every picture.

    Unreadable pictures are left out, counted and listed in metrics/prepare.json; above prepare.max_unreadable the
    stage fails. A dataset that gives features instead of pictures keeps all its rows.
    """
    from pipeline.base.names import MANIFEST_FILE, METRICS_FOLDER, RAW_FOLDER, Part
    from pipeline.base.reports import write_json
    from pipeline.datasets._shared.face import load_dataset
    from pipeline.params.data import DataParams
    from pipeline.params.prepare import PrepareParams
    from pipeline.table.finish import finish_manifest
    from pipeline.table.manifest import check_table, part_rows, write_manifest

    data, params = run.section("data", DataParams), run.section("prepare", PrepareParams)
    dataset, dataset_params = load_dataset(run.params, data.dataset)
    root = RAW_FOLDER / data.dataset
    table = check_table(dataset.read_table(root, dataset_params), data.dataset)
    table, report = finish_manifest(
        table,
        root,
        gives=getattr(dataset, "GIVES", "pictures"),
        min_side=params.min_side,
        max_unreadable=params.max_unreadable,
        workers=run.runtime().workers,
    )
    write_manifest(MANIFEST_FILE, table)
    write_json(METRICS_FOLDER / "prepare.json", report)
    kind = "pictures" if report["pictures"] else "rows with features, no pictures to check,"
    run.say(f"{len(table)} {kind} in {MANIFEST_FILE}")
    if not any(len(part_rows(table, part)) for part in (Part.SOURCE_TEST, Part.TARGET_TEST)):
        run.say("no pictures to evaluate on: the dataset has no query, gallery or test rows")


if __name__ == "__main__":
    main()
