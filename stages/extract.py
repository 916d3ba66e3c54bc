"""Stage extract: pooled features and embeddings of the manifest's rows."""

from pathlib import Path

import click

from pipeline.constants import Part
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

    An interrupted run goes on from its last whole chunk of runtime.chunk_rows pictures.
    """
    from pipeline.constants import FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER, RAW_FOLDER
    from pipeline.devices import torch_device
    from pipeline.errors import UserError
    from pipeline.images.loading import Pictures
    from pipeline.images.transforms import inference_transform
    from pipeline.io.atomic import publish
    from pipeline.io.features import write_features
    from pipeline.io.manifest import part_rows, read_manifest
    from pipeline.io.workspace import fingerprint, workspace
    from pipeline.models.embedder import load_embedder
    from pipeline.models.extraction import extract_chunks
    from pipeline.params.extract import ExtractParams

    params, runtime = run.section("extract", ExtractParams), run.runtime()
    table = read_manifest(MANIFEST_FILE)
    embedder, model = load_embedder(MODEL_FOLDER)
    backbone = embedder.backbone
    transform = inference_transform(model.image_size, backbone.mean, backbone.std)
    model_mark = fingerprint(params=[], inputs=[MODEL_FOLDER], modules=[])
    for part in parts:
        rows = part_rows(table, Part(part))
        if not len(rows):
            raise UserError(
                f"{MANIFEST_FILE}: no pictures for {part}; the dataset needs rows of that meta-domain and split"
            )
        mark = fingerprint(
            params=[params.model_dump(), part, runtime.chunk_rows, runtime.batch_size],
            inputs=[MANIFEST_FILE, MODEL_FOLDER],
            modules=["stages.extract"],
        )
        with workspace(Path(runtime.scratch), f"extract-{part}", mark) as folder:
            chunks = extract_chunks(
                embedder,
                Pictures(table.iloc[rows], RAW_FOLDER, transform, model.image_size),
                folder,
                device=torch_device(runtime.device),
                normalize=params.normalize_pooled,
                chunk_rows=runtime.chunk_rows,
                batch_size=runtime.batch_size,
                workers=runtime.workers,
            )
            out = FEATURES_FOLDER / f"{part}.h5"
            made = folder / out.name
            write_features(made, rows, chunks, normalized=params.normalize_pooled, model=model_mark)
            publish(made, out)
        run.say(f"{len(rows)} pictures in {out}")


if __name__ == "__main__":
    main()
