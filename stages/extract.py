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
    last whole chunk of runtime.chunk_rows pictures, and chunks in runtime.cache are not computed again. Features that
    a dataset gives are checked and copied.
    """
    import numpy as np

    from pipeline.base.names import FEATURES_FOLDER, MANIFEST_FILE, MODEL_FOLDER
    from pipeline.features.store import digest_rows, model_mark, write_features
    from pipeline.params.extract import ExtractParams
    from pipeline.table.manifest import check_part, has_pictures, part_rows, read_manifest

    params = run.section("extract", ExtractParams)
    table = read_manifest(MANIFEST_FILE)
    made_by = of_pictures(run, params, table) if has_pictures(table) else of_dataset(params, table)
    for part in parts:
        rows, out = part_rows(table, Part(part)), FEATURES_FOLDER / f"{part}.h5"
        facts = {"model": model_mark(MODEL_FOLDER), "shown": digest_rows(table, rows)}
        if part == Part.SOURCE_TRAIN:
            check_part(MANIFEST_FILE, part, rows)
        if len(rows):
            made_by.write(part, rows, out, facts)
            run.say(f"{len(rows)} {made_by.what} in {out}")
        else:
            empty = tuple(np.empty((0, width), np.float32) for width in made_by.widths)
            write_features(out, rows, [empty], normalize=params.normalize_pooled, **facts)
            run.say(f"the dataset has no rows for {part}: {out} is empty")


@dataclass(frozen=True)
class Source:
    """A way to features: `write(part, rows, out, facts)`; `widths` of pooled features and embeddings."""

    what: str
    widths: tuple[int, int]
    write: Callable[[str, Any, Path, dict[str, str]], None]


def of_pictures(run: Run, params: Any, table: Any) -> Source:
    """Features computed by the model from the pictures of the manifest `table`."""
    from pipeline.base.atomic import publish
    from pipeline.base.devices import be_deterministic, torch_device
    from pipeline.base.names import MANIFEST_FILE, MODEL_FOLDER, RAW_FOLDER
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.cache import PooledCache, maker_key, prune
    from pipeline.features.extract import extract_chunks
    from pipeline.features.store import write_features
    from pipeline.images.loading import Pictures
    from pipeline.images.transforms import inference_transform
    from pipeline.models.embedder import load_embedder

    runtime = run.runtime()
    device = torch_device(runtime.device)
    be_deterministic()
    embedder = load_embedder(MODEL_FOLDER)
    transform, side = inference_transform(embedder.input), embedder.input.decoded_side
    maker = maker_key(embedder, transform, side, device=device, batch_size=runtime.batch_size)

    def write(part: str, rows: Any, out: Path, facts: dict[str, str]) -> None:
        shown = table.iloc[rows]
        conditions = embedder.conditions(shown)
        mark = fingerprint(
            params=[params.model_dump(), part, runtime.chunk_rows, runtime.batch_size],
            inputs=[MANIFEST_FILE, MODEL_FOLDER],
            modules=["stages.extract"],
        )
        with workspace(Path(runtime.scratch), f"extract-{part}", mark) as folder:
            kept = folder / "pooled" if runtime.cache is None else Path(runtime.cache)
            chunks = extract_chunks(
                embedder,
                Pictures(shown, RAW_FOLDER, transform, side, conditions),
                PooledCache(kept, maker, shown, conditions),
                device=device,
                chunk_rows=runtime.chunk_rows,
                batch_size=runtime.batch_size,
                workers=runtime.workers,
            )
            made = folder / out.name
            write_features(made, rows, chunks, normalize=params.normalize_pooled, **facts)
            publish(made, out)
        if runtime.cache is not None:
            prune(kept, runtime.cache_gb * 1e9)

    return Source("pictures", embedder.head.shape[::-1], write)


def of_dataset(params: Any, table: Any) -> Source:
    """Features that the dataset of the manifest `table` gives, checked and copied."""
    from pipeline.base.names import DATASET, MODEL_FOLDER, RAW_FOLDER
    from pipeline.base.progress import progress
    from pipeline.datasets._shared.given import MADE_BY, features_file
    from pipeline.features.store import open_features, write_features
    from pipeline.models.folder import load_head

    root, head = RAW_FOLDER / str(table[DATASET].iloc[0]), load_head(MODEL_FOLDER)

    def write(part: str, rows: Any, out: Path, facts: dict[str, str]) -> None:
        features = open_features(features_file(root, part), MADE_BY)
        features.check_fit(rows, head)
        blocks = progress(features.blocks(), what=f"copy {part}", unit="block")
        write_features(out, rows, blocks, unit=features.normalized_pooled, normalize=params.normalize_pooled, **facts)

    return Source("rows of the dataset's own features", head.shape[::-1], write)


if __name__ == "__main__":
    main()
