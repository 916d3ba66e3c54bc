"""Stage extract: pooled features and embeddings of the manifest's rows."""

from pathlib import Path
from typing import Any

from pipeline.base.names import Part
from stages._cli import Run, stage
from stages._options import parts_option


@parts_option
@stage
def main(run: Run, parts: tuple[str, ...]) -> None:
    """Write data/features/<part>.h5: pooled features and embeddings of the pictures of each part.

    A part without rows gives an empty file; source_train must have some. Of a network that embeds a picture for an
    attribute there is a row for each picture and attribute that extract.attributes asks for, in test parts alone. An
    interrupted run goes on from its last whole chunk of runtime.chunk_rows pictures, and chunks in runtime.cache are
    not computed again. Features that a dataset gives are checked and copied.
    """
    import numpy as np

    from pipeline.base.devices import be_deterministic, torch_device
    from pipeline.base.names import ATTRIBUTES_FILE, FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, RAW_FOLDER
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.asked import LABELLED, asked_for, why_none
    from pipeline.features.sources import of_dataset, of_pictures
    from pipeline.features.store import digest_rows, model_mark, write_features
    from pipeline.models.folder import load_head
    from pipeline.models.kinds import load_embedder
    from pipeline.params.extract import ExtractParams
    from pipeline.table.attributes import read_attributes
    from pipeline.table.manifest import check_part, has_pictures, part_rows, read_manifest

    params = run.section("extract", ExtractParams)
    table = read_manifest(MANIFEST_FILE)
    runtime = run.runtime()

    def work_on(part: str) -> Any:
        mark = fingerprint(
            params=[params.model_dump(), part, runtime.chunk_rows, runtime.batch_size],
            inputs=[MANIFEST_FILE, MODEL_FOLDER],
            modules=["stages.extract"],
        )
        return workspace(Path(runtime.scratch), f"extract-{part}", mark)

    if has_pictures(table):
        embedder, device = load_embedder(MODEL_FOLDER), torch_device(runtime.device)
        be_deterministic()
        made_by = of_pictures(
            embedder, table, RAW_FOLDER, device=device, runtime=runtime, work_on=work_on, params=params
        )
    else:
        made_by = of_dataset(load_head(MODEL_FOLDER), table, RAW_FOLDER, params=params)
    attributes = made_by.attributes
    known = read_attributes(ATTRIBUTES_FILE) if attributes else None
    if not attributes and params.attributes != LABELLED:
        run.say("extract.attributes: not read, since the model embeds a picture for no attribute")
    if made_by.without_colour:
        run.say(f"no colour features: {made_by.without_colour}")
    for part in parts:
        if part == Part.SOURCE_TRAIN:
            check_part(MANIFEST_FILE, part, part_rows(table, Part(part)))
        asked, out = asked_for(table, Part(part), attributes, known, params.attributes), FEATURES_FOLDER / f"{part}.h5"
        facts = {"model": model_mark(MODEL_FOLDER), "shown": digest_rows(table, asked.row)} | asked.facts
        facts |= {"branches": made_by.branches}
        if asked.left_out:
            run.say(f"{part}: left out, since the model does not know them: {', '.join(asked.left_out)}")
        if len(asked):
            made_by.write(part, asked, out, facts)
            run.say(f"{len(asked)} {made_by.what} in {out}")
            continue
        empty = tuple(np.empty((0, width), np.float32) for width in made_by.widths)
        write_features(out, asked.row, [empty], normalize=params.normalize_pooled, **facts)
        run.say(f"{why_none(Part(part), attributes)}: {out} is empty")


if __name__ == "__main__":
    main()
