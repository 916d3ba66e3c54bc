"""Stage index: what a search finds pictures in."""

from pathlib import Path

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Write data/index/: the pictures of a catalogue by every model in index.models, to be searched with `search`.

    index.part says whose pictures these are; queries are none of them. Features by attribute are searched by one of
    these (`search --like`), each of which has an engine, of the pictures with features of it. Small catalogues are
    searched exactly, large ones (index.exact_rows) in lists, as many as find index.recall of the exact answer on
    queries that are held out.
    Writes metrics/index.json: recall@10 against exact search, bytes a vector and milliseconds a query on one thread.
    """
    from tempfile import TemporaryDirectory

    from pipeline.base.names import (
        ADAPTER_FOLDER,
        ATTRIBUTES_FILE,
        FEATURES_FOLDER,
        INDEX_FOLDER,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        RAW_FOLDER,
        VIEWS_FOLDER,
        Part,
    )
    from pipeline.base.reports import write_json
    from pipeline.features.store import open_parts
    from pipeline.features.views import in_catalogue, open_views
    from pipeline.params.index import IndexParams
    from pipeline.retrieval.index.attributes import rows_of
    from pipeline.retrieval.index.build import build_index, catalogue_rows
    from pipeline.retrieval.index.folder import changing, write_index
    from pipeline.retrieval.index.models import index_facts, index_heads
    from pipeline.table.manifest import evaluated_part, read_manifest

    params, runtime = run.section("index", IndexParams), run.runtime()
    manifest = read_manifest(MANIFEST_FILE)
    part = evaluated_part(manifest, "auto") if params.part == "auto" else Part(params.part)
    (features,) = open_parts(FEATURES_FOLDER, [part], manifest, MODEL_FOLDER)
    views = open_views(VIEWS_FOLDER / f"{part}.h5", manifest, MODEL_FOLDER)
    table, known = rows_of(manifest, features, ATTRIBUTES_FILE)
    kept = catalogue_rows(MANIFEST_FILE, table, part, params)
    shown = kept[in_catalogue(table)[kept]]
    heads, missing = index_heads(
        params.models, MODEL_FOLDER, ADAPTER_FOLDER, views, features.row[shown], by_attribute=known is not None
    )
    features.check_heads({folder: model.head for folder, model in heads.values() if model is not None})
    folders = {name: where for name, (where, _) in heads.items()}
    for message in missing:
        run.say(message)
    scratch = Path(runtime.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    with changing(INDEX_FOLDER), TemporaryDirectory(dir=scratch) as folder:
        index, report = build_index(
            features,
            table,
            kept,
            {name: model for name, (_, model) in heads.items()},
            views,
            facts=index_facts(part, folders, MODEL_FOLDER, params, views.path),
            params=params,
            raw=RAW_FOLDER,
            work=Path(folder),
            block_rows=runtime.block_rows,
            known=known,
            say=run.say,
        )
        try:
            write_index(INDEX_FOLDER, index)
        except BaseException:
            index.discard()
            raise
        index.settle()
        write_json(METRICS_FOLDER / "index.json", report)
    run.say(f"{len(index)} pictures in {INDEX_FOLDER}; `python -m stages.serve` opens the page that searches them")


if __name__ == "__main__":
    main()
