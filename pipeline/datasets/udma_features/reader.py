"""The pair of UDMA as its authors' features: DeepFashion as source, Street2Shop as target, and no pictures.

Read by `pipeline.datasets.udma_features.released`, given to the chain in the form of `pipeline.features.given`;
the rows of the manifest are in `table.parquet`, where `image` says what a row's features come from.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pandas as pd
import torch

from pipeline.base.atomic import remove
from pipeline.base.errors import UserError
from pipeline.base.names import Part
from pipeline.base.params import Section
from pipeline.base.parquet import read_parquet, write_parquet
from pipeline.base.progress import progress
from pipeline.datasets._shared.fetching import ArchiveParams, fetch_archives
from pipeline.datasets._shared.paths import inside
from pipeline.datasets.udma_features.released import TESTS, TRAINING, Find, Inspected, inspect_piece, piece_blocks
from pipeline.features.fit import fit_head, head_cosine
from pipeline.features.given import MADE_BY, MEND, features_file, head_folder, read_facts, write_facts
from pipeline.features.store import Block, open_features, write_features
from pipeline.models.folder import load_head, save_head
from pipeline.models.head import Head
from pipeline.table.manifest import part_rows

SECTION = "pipeline/datasets/udma_features/params.yaml"
TABLE = "table.parquet"


class Params(Section):
    """`test`: whose test files there are; `head`: where the layer between X-1 and X comes from."""

    archives: list[ArchiveParams]
    test: Literal["street2shop", "deepfashion", "both"]
    head: Literal["least_squares", "checkpoint"]
    checkpoint: str
    norm_features: bool


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:
    """Check the released files in `source` or in archives, and write their content into `out` as `given` says.

    Raises UserError naming the file that is missing, damaged or does not fit the others, or a head that does not.
    """
    del seed  # nothing is drawn
    unpacked = out.with_name(f".{out.name}.unpacked")
    remove(unpacked)  # left by a killed run
    try:
        fetch_archives(params.archives, source, unpacked, downloads)
        _bring(_finder([unpacked, source]), source, out, params)
    finally:
        remove(unpacked)


def read_table(root: Path, params: Params) -> pd.DataFrame:
    """The rows that `fetch` wrote. Raises UserError when they are missing or damaged."""
    del params
    return read_parquet(root / TABLE, MEND)


def describe(root: Path) -> str:
    """The features and the head in a line."""
    facts = read_facts(root)
    head = facts["head"]
    unit = "all" if facts["pooled_of_unit_length"] else "not all"
    return (
        f"gives features: width {facts['pooled_width']} (pooled, {unit} rows of unit length) to "
        f"{facts['embedding_width']}; head from {head['from']}, norm_features {str(head['norm_features']).lower()}, "
        f"mean cosine {head['mean_cosine']:.4f} between its output and the embeddings given"
    )


def _bring(find: Find, source: Path, out: Path, params: Params) -> None:
    tests = TESTS if params.test == "both" else {params.test: TESTS[params.test]}
    pieces = [*TRAINING, *(piece for pair in tests.values() for piece in pair)]
    inspected = [inspect_piece(piece, find) for piece in pieces]
    pooled_width, width = _common_widths(inspected, find)
    given = _checkpoint_head(source, params, (width, pooled_width)) if params.head == "checkpoint" else None
    table = pd.concat([one.table for one in inspected], ignore_index=True)
    unit_pooled, unit_embedding = (all(one.unit[kind] for one in inspected) for kind in (0, 1))
    write_parquet(out / TABLE, table)
    for part in Part:
        rows = part_rows(table, part)
        if len(rows):
            blocks = (block for piece in pieces if piece.part == part for block in piece_blocks(piece, find))
            blocks = progress(blocks, what=f"copy {part}", unit="block")
            path = features_file(out, part)
            write_features(path, rows, blocks, unit=unit_pooled, model=params.head)
    head = _bring_head(out, params.norm_features, given)
    facts = {
        "pooled_width": pooled_width,
        "pooled_of_unit_length": unit_pooled,
        "embedding_width": width,
        "embedding_of_unit_length": unit_embedding,
        "head": {"from": params.head, **head},
    }
    write_facts(out, facts)


def _checkpoint_head(source: Path, params: Params, shape: tuple[int, int]) -> Head:
    """The head of the converted checkpoint. Raises UserError unless it is of `shape` (D, P)."""
    folder = source / inside(params.checkpoint, f"{SECTION}:checkpoint")
    mend = f"make it by `python -m stages.convert` and name it in {SECTION}:checkpoint"
    head = load_head(folder, mend)
    if head.shape != shape:
        made, wanted = ("{} from {}".format(*widths) for widths in (head.shape, shape))
        raise UserError(f"{folder}: its head makes embeddings of width {made}, where the features have {wanted}")
    return head


def _bring_head(out: Path, norm_features: bool, given: Head | None) -> dict[str, float | bool]:
    """Write the `given` head, or one fitted to the training rows; what is worth telling about it."""

    def training() -> Iterator[Block]:
        for part in (Part.SOURCE_TRAIN, Part.TARGET_TRAIN):
            path = features_file(out, part)
            yield from progress(open_features(path, MADE_BY).blocks(), what=f"head from {part}", unit="block")

    if given is None:
        fitted = fit_head(training, norm_features=norm_features)
        weight, bias, cosine = torch.from_numpy(fitted.weight.copy()), torch.from_numpy(fitted.bias), fitted.cosine
        head = Head.of(weight, bias, norm_features=norm_features)
    else:
        head = given.folded()
        weight, bias = (values.detach().numpy() for values in (head.weight, head.bias))
        cosine = head_cosine(training, weight, bias, norm_features=head.norm_features)
    save_head(head_folder(out), head)
    return {"norm_features": head.norm_features, "mean_cosine": cosine}


def _common_widths(inspected: list[Inspected], find: Find) -> tuple[int, int]:
    """Widths of X-1 and X. Raises UserError when the pieces do not agree."""
    first = inspected[0]
    for one in inspected:
        for kind, expected, found in zip(("X-1", "X"), first.widths, one.widths, strict=True):
            if found != expected:
                path, other = find(one.piece.file(kind)), find(first.piece.file(kind))
                raise UserError(f"{path}: features of width {found}, where {other} has {expected}; get both again")
    return first.widths


def _finder(roots: list[Path]) -> Find:
    def find(name: str) -> Path:
        found = next((root / name for root in roots if (root / name).is_file()), None)
        if found is None:
            other = "" if name.startswith("ClusteringFeats") else f", or choose other test files ({SECTION}:test)"
            raise UserError(
                f"{roots[-1] / name}: no such file; put the released folders ClusteringFeats, Street2Shop and "
                f"DeepFashion there{other}"
            )
        return found

    return find
