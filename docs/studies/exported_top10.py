"""Whether an exported model finds what the chain finds: what docs/export.md reports of it.

    PYTHONPATH=. python docs/studies/exported_top10.py FOLDER

FOLDER is a repository in which the chain has run, and then `crosswear export --model viewed`. The target's photos are
embedded by the file of ONNX and by the chain, and search the same catalogue.
"""

import sys
from contextlib import chdir

import numpy as np
import onnxruntime
import torch

from pipeline.base.names import (
    ADAPTER_FOLDER,
    BOX,
    DOMAIN,
    FEATURES_FOLDER,
    IMAGE,
    MANIFEST_FILE,
    MODEL_FOLDER,
    RAW_FOLDER,
    SPLIT,
    VIEWS_FOLDER,
    ModelName,
    Part,
    Split,
)
from pipeline.base.progress import progress
from pipeline.features.store import open_parts
from pipeline.features.views import embed_catalogue, open_views
from pipeline.images.loading import Pictures
from pipeline.images.transforms import framed
from pipeline.models.folder import load_heads
from pipeline.models.kinds import load_embedder
from pipeline.table.domains import domain_codes
from pipeline.table.manifest import read_manifest

FILE, K = f"data/export/{ModelName.VIEWED}/model.onnx", 10


def main() -> None:
    """Print the share of photos whose first ten are the same, in order, and the largest deviation of a value."""
    manifest, part = read_manifest(MANIFEST_FILE), Part.TARGET_TEST
    (features,) = open_parts(FEATURES_FOLDER, (part,), manifest, MODEL_FOLDER)
    table, views = manifest.iloc[features.row], open_views(VIEWS_FOLDER / f"{part}.h5", manifest, MODEL_FOLDER)
    domain, model = domain_codes(table[DOMAIN]), load_heads(ADAPTER_FOLDER)[ModelName.VIEWED]
    made = embed_catalogue(model, features, domain, views, device=torch.device("cpu"), block_rows=2048)
    asked, shown = (np.flatnonzero(table[SPLIT] == split) for split in (Split.QUERY, Split.GALLERY))
    wanted = load_embedder(MODEL_FOLDER).input
    pictures = Pictures(table.iloc[asked][[IMAGE, *BOX]], RAW_FOLDER, framed(wanted), wanted.decoded_side)
    session = onnxruntime.InferenceSession(FILE)
    exported = np.concatenate(
        [
            session.run(None, {"pictures": pictures[place][None], "domain": domain[asked[place]][None]})[0]
            for place in progress(range(len(asked)), what="embed", unit="photo")
        ]
    )
    first, second = (np.argsort(-rows @ made[shown].T, kind="stable")[:, :K] for rows in (exported, made[asked]))
    same, off = (first == second).all(axis=1).mean(), np.abs(exported - made[asked]).max()
    print(f"{len(asked)} photos, share of equal top {K}: {same:.4f}, largest deviation {off:.1e}")


if __name__ == "__main__":
    with chdir(sys.argv[1]):
        main()
