"""Stage prepare: the sets as one checked table."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Join the sets in data.sets into data/manifest.parquet, one row an image, and check every picture.

    What the sets tell of their pictures goes to data/attributes.parquet: a row a picture, attribute and value.

    Pictures that cannot be used are left out, counted and listed in metrics/prepare.json. The stage fails where they
    are more than prepare.max_unreadable of a set, and for a category in data.alignment that looks mistyped or has no
    pictures to train on. A set that gives features instead of pictures keeps all its rows.
    """
    import pandas as pd

    from pipeline.base.errors import UserError
    from pipeline.base.names import (
        ATTRIBUTES_FILE,
        CATEGORY,
        MANIFEST_FILE,
        META_DOMAIN,
        METRICS_FOLDER,
        RAW_FOLDER,
        MetaDomain,
        Part,
    )
    from pipeline.base.reports import write_json
    from pipeline.clustering.groups import check_groups
    from pipeline.features.given import gives_features
    from pipeline.params.data import DataParams
    from pipeline.params.prepare import PrepareParams
    from pipeline.table.alignment import check_alignment
    from pipeline.table.attribute_remarks import attribute_remarks
    from pipeline.table.attributes import write_attributes
    from pipeline.table.counts import count_attributes, tell_left_out
    from pipeline.table.finish import finish_features, finish_manifest
    from pipeline.table.manifest import part_rows, write_manifest
    from pipeline.table.remarks import remarks
    from pipeline.table.sets import join_attributes, join_sets, read_set_attributes, read_table

    data, params = run.section("data", DataParams), run.section("prepare", PrepareParams)
    sets = data.sets
    given = [name for name in sets if gives_features(RAW_FOLDER / name)]
    if given and len(sets) > 1:
        raise UserError(f"data.sets: {given[0]} gives features, no pictures; it cannot be joined with other sets")
    tables = {name: read_table(RAW_FOLDER, name) for name in sets}
    every = pd.concat([table[[META_DOMAIN, CATEGORY]] for table in tables.values()])
    check_alignment(data.alignment, *(set(every[CATEGORY][every[META_DOMAIN] == side]) for side in MetaDomain))
    if given:
        finished = [finish_features(tables[sets[0]], RAW_FOLDER / sets[0])]
    else:
        options = params.model_dump() | {"workers": run.runtime().workers}
        finished = [finish_manifest(one, RAW_FOLDER / name, **options) for name, one in tables.items()]
    table, report = join_sets(sets, finished)
    check_groups(table, data.alignment)
    known = [read_set_attributes(RAW_FOLDER, name) for name in sets]
    attributes = join_attributes([manifest for manifest, _ in finished], known)
    if len(attributes):
        report |= {"attributes": count_attributes(attributes)}
    write_attributes(ATTRIBUTES_FILE, attributes)
    write_manifest(MANIFEST_FILE, table)
    report_file = METRICS_FOLDER / "prepare.json"
    write_json(report_file, report)
    kind = "pictures" if report["pictures"] else "rows with features, no pictures to check,"
    run.say(f"{len(table)} {kind} in {MANIFEST_FILE}")
    if left_out := tell_left_out(report, report_file):
        run.say(left_out)
    for name in report.get("sets_with_boxes_as_shares", []):
        run.say(f"the boxes of {name} are shares of their pictures, and became pixels")
    for remark in (*remarks(table), *attribute_remarks(table, attributes)):
        run.say(remark)
    if not any(len(part_rows(table, part)) for part in (Part.SOURCE_TEST, Part.TARGET_TEST)):
        run.say("no pictures to evaluate on: the dataset has no query, gallery or test rows")


if __name__ == "__main__":
    main()
