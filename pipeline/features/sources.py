"""Where the features of a part are from: pictures and a model, or the dataset itself."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from pipeline.base.atomic import publish
from pipeline.base.names import DATASET
from pipeline.base.progress import progress
from pipeline.base.runtime import RuntimeParams
from pipeline.features.asked import Asked
from pipeline.features.cache import PooledCache, maker_key, prune
from pipeline.features.colours import Colours
from pipeline.features.extract import extract_chunks
from pipeline.features.given import MADE_BY, features_file
from pipeline.features.store import open_features, write_features
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform
from pipeline.models.head import Head
from pipeline.models.network import Network, attributes_of, branches_of
from pipeline.params.extract import ExtractParams


@dataclass(frozen=True)
class Source:
    """A way to features: `write(part, asked, out, facts)`, `facts` as in the store.

    `what`: its rows in words; `widths` of pooled features and embeddings. `attributes`: those that it embeds a picture
    for, see `pipeline.features.asked`; `branches`: parts of such an embedding, and their widths. `without_colour`: why
    there are no colour features, where they were asked for.
    """

    what: str
    widths: tuple[int, int]
    write: Callable[[str, Asked, Path, Mapping[str, Any]], None]
    attributes: tuple[str, ...] = ()
    branches: Mapping[str, int] = field(default_factory=dict)
    without_colour: str | None = None


def of_pictures(
    embedder: Network,
    table: pd.DataFrame,
    raw: Path,
    *,
    device: torch.device,
    runtime: RuntimeParams,
    work_on: Callable[[str], AbstractContextManager[Path]],
    params: ExtractParams,
) -> Source:
    """Features that `embedder` computes from the pictures of the manifest `table`, in the folder `raw`.

    `work_on(part)` is the folder of work in progress. Chunks in `runtime.cache` are not computed again.
    """
    transform, side = inference_transform(embedder.input), embedder.input.decoded_side
    wanted = None if params.colour == "none" else Colours.of(embedder, params.colour, params.colour_cells)

    def write(part: str, asked: Asked, out: Path, facts: Mapping[str, Any]) -> None:
        shown = asked.of(table)
        conditions = embedder.conditions(shown)
        colours = wanted if part in params.colour_parts else None
        colour = None if colours is None else colours.facts
        maker = maker_key(embedder, transform, side, device=device, batch_size=runtime.batch_size, further=colour)
        with work_on(part) as folder:
            kept = folder / "pooled" if runtime.cache is None else Path(runtime.cache)
            chunks = extract_chunks(
                embedder,
                Pictures(shown, raw, transform, side, conditions),
                PooledCache(kept, maker, shown, conditions),
                device=device,
                chunk_rows=runtime.chunk_rows,
                batch_size=runtime.batch_size,
                workers=runtime.workers,
                colours=colours,
            )
            made = folder / out.name
            normalize = params.normalize_pooled
            write_features(made, asked.row, chunks, normalize=normalize, colour=colour, **facts)
            publish(made, out)
        if runtime.cache is not None:
            prune(kept, runtime.cache_gb * 1e9)

    attributes = attributes_of(embedder)
    without = None
    if params.colour != "none" and not wanted:
        pooling = embedder.settings.get("pooling")
        by_pooling = pooling and not attributes  # which networks of attributes have, but do not read
        without = f"pooling {pooling} has no map" if by_pooling else f"a network of kind {embedder.kind} has no colours"
    what = "pairs of picture and attribute" if attributes else "pictures"
    return Source(what, embedder.head.shape[::-1], write, attributes, branches_of(embedder), without)


def of_dataset(head: Head, table: pd.DataFrame, raw: Path, *, params: ExtractParams) -> Source:
    """Features that the dataset of the manifest `table` gives in `raw`, checked against `head` and copied."""
    root = raw / str(table[DATASET].iloc[0])

    def write(part: str, asked: Asked, out: Path, facts: Mapping[str, Any]) -> None:
        features = open_features(features_file(root, part), MADE_BY)
        features.check_fit(asked.row, head)
        blocks = progress(features.blocks(), what=f"copy {part}", unit="block")
        normalize = params.normalize_pooled
        write_features(out, asked.row, blocks, unit=features.normalized_pooled, normalize=normalize, **facts)

    without = None if params.colour == "none" else "there are no pictures"
    return Source("rows of the dataset's own features", head.shape[::-1], write, without_colour=without)
