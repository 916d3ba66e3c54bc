"""Stage extract: pooled features and embeddings of the manifest's rows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pipeline.base.names import Part
from stages._cli import Run, stage


@click.option(
    "--part",
    "parts",
    type=click.Choice([str(part) for part in Part]),
    multiple=True,
    default=[str(part) for part in Part],
    help="Part of the manifest; may be given several times.  [default: all]",
)
@stage
def main(run: Run, parts: tuple[str, ...]) -> None:
    """Write data/features/<part>.h5: pooled features and embeddings of the pictures of each part.

    A part without rows gives an empty file; source_train must have some. An interrupted run goes on from its
    last whole chunk of runtime.chunk_rows pictures. Features that a dataset brings are checked and copied.
    """
    import numpy as np

    from pipeline.base.names import FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, RAW_FOLDER
    from pipeline.base.workspace import fingerprint
    from pipeline.features.brought import brought_folder
    from pipeline.features.store import write_features
    from pipeline.params.extract import ExtractParams
    from pipeline.table.manifest import check_part, part_rows, read_manifest

    params = run.section("extract", ExtractParams)
    table = read_manifest(MANIFEST_FILE)
    brought = brought_folder(RAW_FOLDER, table)
    made_by = of_pictures(run, params, table) if brought is None else of_dataset(params, brought)
    model = fingerprint(params=[], inputs=[MODEL_FOLDER], modules=[])
    for part in parts:
        rows, out = part_rows(table, Part(part)), FEATURES_FOLDER / f"{part}.h5"
        if part == Part.SOURCE_TRAIN:
            check_part(MANIFEST_FILE, part, rows)
        if len(rows):
            made_by.write(part, rows, out, model)
            run.say(f"{len(rows)} {made_by.what} in {out}")
        else:
            empty = tuple(np.empty((0, width), np.float32) for width in made_by.widths)
            write_features(out, rows, [empty], normalized=params.normalize_pooled, model=model)
            run.say(f"the dataset has no rows for {part}: {out} is empty")


@dataclass(frozen=True)
class Features:
    """A way to features: `write(part, rows, out, model)`; `widths` of pooled features and embeddings."""

    what: str
    widths: tuple[int, int]
    write: Callable[[str, Any, Path, str], None]


def of_pictures(run: Run, params: Any, table: Any) -> Features:
    """Features computed by the model from the pictures of the manifest `table`."""
    from pipeline.base.atomic import publish
    from pipeline.base.devices import torch_device
    from pipeline.base.names import MANIFEST_FILE, MODEL_FOLDER, RAW_FOLDER
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.extract import extract_chunks
    from pipeline.features.store import write_features
    from pipeline.images.loading import Pictures
    from pipeline.images.transforms import inference_transform
    from pipeline.models.embedder import load_embedder

    runtime = run.runtime()
    embedder = load_embedder(MODEL_FOLDER)
    transform, side = inference_transform(embedder.input), embedder.input.decoded_side

    def write(part: str, rows: Any, out: Path, model: str) -> None:
        mark = fingerprint(
            params=[params.model_dump(), part, runtime.chunk_rows, runtime.batch_size],
            inputs=[MANIFEST_FILE, MODEL_FOLDER],
            modules=["stages.extract"],
        )
        chosen = table.iloc[rows]
        with workspace(Path(runtime.scratch), f"extract-{part}", mark) as folder:
            chunks = extract_chunks(
                embedder,
                Pictures(chosen, RAW_FOLDER, transform, side, embedder.conditions(chosen)),
                folder,
                device=torch_device(runtime.device),
                normalize=params.normalize_pooled,
                chunk_rows=runtime.chunk_rows,
                batch_size=runtime.batch_size,
                workers=runtime.workers,
            )
            made = folder / out.name
            write_features(made, rows, chunks, normalized=params.normalize_pooled, model=model)
            publish(made, out)

    return Features("pictures", embedder.head.shape[::-1], write)


def of_dataset(params: Any, brought: Path) -> Features:
    """Features that the dataset in the folder `brought` brings, checked and copied."""
    from pipeline.base.names import MODEL_FOLDER
    from pipeline.features.blocks import copy_features
    from pipeline.features.brought import features_file
    from pipeline.models.folder import load_head

    head = load_head(MODEL_FOLDER)

    def write(part: str, rows: Any, out: Path, model: str) -> None:
        copy_features(
            features_file(brought, part),
            out,
            rows,
            head.shape,
            normalize=params.normalize_pooled,
            made_by="download",
            model=model,
        )

    return Features("rows of the dataset's own features", head.shape[::-1], write)


if __name__ == "__main__":
    main()
