"""Whether the trunk learns from the target's training pictures: what docs/adaptation.md reports of it.

    PYTHONPATH=. python docs/studies/target_trunk.py NAME=FOLDER ...

FOLDER is a repository in which the chain has run with the frozen trunk and recipe none. The trunk is trained by NT-Xent
on its pooled features: on pairs of a photo and a shop picture of 80 % of the source's items, drawn five times; and on
these and pairs of a target picture and a street view of it, each an item of its own. Both, whitened within those source
items, are scored against the control: the trunk as it was, whitened alike.
"""

import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from pytorch_metric_learning.losses import NTXentLoss
from target_pictures import SEEDS, SHARE, SHRINKAGE, WIDTH, mean_result, table_of

from pipeline.base.names import DIGEST, DOMAIN, Domain, Part
from pipeline.base.progress import progress
from pipeline.control.whitened import fit_whitening
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.evaluation.results import RetrievalResult
from pipeline.features.viewing import street_photos, street_rows
from pipeline.images.loading import Pictures
from pipeline.images.transforms import framed, normalize
from pipeline.models.embedder import Embedder
from pipeline.models.kinds import load_embedder
from pipeline.table.domains import CODES, domain_codes
from pipeline.table.manifest import part_rows, read_manifest
from pipeline.table.products import product_codes
from pipeline.views.view import STREET, Studio

STEPS, PAIRS, RATE, TEMPERATURE, BLOCK = 30, 12, 1e-4, 0.1, 64
SHOP, CONSUMER = CODES[Domain.SHOP], CODES[Domain.CONSUMER]


@dataclass
class Shown:
    """The rows `table` of a part, and their pictures (N, S, S, 3) uint8 as the network takes them."""

    table: pd.DataFrame
    frames: np.ndarray

    @property
    def domain(self) -> np.ndarray:
        """(N,) int64."""
        return domain_codes(self.table[DOMAIN])

    @property
    def item(self) -> np.ndarray:
        """(N,) int64."""
        return product_codes(self.table)

    def among(self, rows: np.ndarray) -> "Shown":
        """Those where `rows` (N,) is true."""
        return Shown(self.table[rows], self.frames[rows])


def show(folder: Path, manifest: pd.DataFrame, part: Part, network: Embedder) -> Shown:
    """The pictures of a part."""
    table, wanted = manifest.iloc[part_rows(manifest, part)], network.input
    pictures = Pictures(table, folder / "data/raw", framed(wanted), wanted.decoded_side)
    frames = [pictures[place] for place in progress(range(len(pictures)), what=f"read {part}", unit="picture")]
    return Shown(table, np.stack(frames))


def pooled(network: Embedder, frames: np.ndarray) -> torch.Tensor:
    """Pictures (n, S, S, 3) uint8 -> pooled features (n, P)."""
    pixels = normalize(torch.from_numpy(frames), network.input)
    return network.pool(pixels.contiguous(memory_format=torch.channels_last))


def trained(network: Embedder, source: Shown, target: Shown | None, studio: Studio, seed: int) -> Embedder:
    """A copy of the network, trained on pairs of the source's items, and on target pictures with views of them."""
    network = deepcopy(network).eval().requires_grad_(True)  # batch norms keep their statistics
    optimizer, loss_of = torch.optim.Adam(network.backbone.parameters(), RATE), NTXentLoss(TEMPERATURE)
    photos, shops = ({} for _ in CODES)
    for place, (item, domain) in enumerate(zip(source.item, source.domain, strict=True)):
        (shops if domain == SHOP else photos).setdefault(item, []).append(place)
    items = sorted(photos.keys() & shops.keys())
    for step in progress(range(STEPS), what="train the trunk", unit="step"):
        rng = np.random.default_rng([seed, step])
        drawn = rng.choice(items, min(PAIRS, len(items)), replace=False)
        sides = [[source.frames[rng.choice(side[item])] for item in drawn] for side in (photos, shops)]
        mirrored = [[frame[:, ::-1] if rng.random() < 0.5 else frame for frame in side] for side in sides]
        if target is not None:
            for place in rng.choice(len(target.frames), min(PAIRS, len(target.frames)), replace=False):
                frame, known = target.frames[place], target.table[DIGEST].iloc[place]
                mirrored[0] += studio.views(frame, {STREET: 1}, seed=seed * STEPS + step, known=known)
                mirrored[1].append(frame)
        one, other = (F.normalize(pooled(network, np.stack(side)), dim=1) for side in mirrored)
        labels = torch.arange(len(one)).repeat(2)
        loss = loss_of(torch.cat([one, other]), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network


@torch.inference_mode()
def embedded(network: Embedder, source: Shown, test: Shown) -> np.ndarray:
    """Embeddings (n, D) float32 of the test pictures, whitened within the source's items."""
    features = [
        np.concatenate([pooled(network, frames).numpy() for frames in np.split(shown.frames, _blocks(shown))])
        for shown in (source, test)
    ]
    whitening = fit_whitening(features[0], source.domain, source.item, root=True, width=WIDTH)
    return whitening.head(SHRINKAGE).embed(features[1], test.domain, 2048)


def _blocks(shown: Shown) -> np.ndarray:
    return np.arange(BLOCK, len(shown.frames), BLOCK)


def results_of(folder: Path) -> dict[str, list[RetrievalResult]]:
    """Name -> the results of each draw of source items."""
    manifest, network = read_manifest(folder / "data/manifest.parquet"), load_embedder(folder / "data/models/backbone")
    parts = (Part.SOURCE_TRAIN, Part.TARGET_TRAIN, Part.TARGET_TEST)
    source, target, test = (show(folder, manifest, part, network) for part in parts)
    studio = Studio(street_photos(network.input, manifest, folder / "data/raw", street_rows(manifest, 128, 1)))
    results: dict[str, list[RetrievalResult]] = {}
    for seed in SEEDS:
        items = np.random.default_rng(seed).permutation(np.unique(source.item))
        kept = source.among(np.isin(source.item, items[: round(SHARE * len(items))]))
        made = {
            "control": network,
            "trunk trained on the source": trained(network, kept, None, studio, seed),
            "trunk trained on the source and target views": trained(network, kept, target, studio, seed),
        }
        embeddings = {name: embedded(each, kept, test) for name, each in made.items()}
        scored = evaluate(embeddings, test.table, PROTOCOLS["street2shop"], resamples=1).results
        for name, result in scored.items():
            results.setdefault(name, []).append(result)
    return results


def main() -> None:
    """Print the table."""
    named = [argument.partition("=")[::2] for argument in sys.argv[1:]]
    means = {name: {each: mean_result(found) for each, found in results_of(Path(at)).items()} for name, at in named}
    print(table_of(means))


if __name__ == "__main__":
    main()
