"""Whether features that are computed once train what the pictures train: what docs/margin_softmax.md reports of it.

    PYTHONPATH=. python docs/studies/cached_training.py FOLDER

FOLDER is a repository in which `prepare` has run. The head of `margin_softmax` is trained behind the frozen trunk of
its params.yaml twice, on the same batches: on features that are computed once, and on the pictures, read in each epoch.
"""

import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch

from pipeline.base.names import MANIFEST_FILE, RAW_FOLDER, Part
from pipeline.base.params import load_params, read_section
from pipeline.base.progress import progress
from pipeline.base.runtime import RuntimeParams
from pipeline.images.loading import Pictures
from pipeline.images.transforms import inference_transform
from pipeline.params.finetune import FinetuneParams
from pipeline.table.manifest import part_rows, read_manifest
from pipeline.training.batches import PictureRows
from pipeline.training.context import TrainingContext, load_recipe
from pipeline.training.fabric import start_fabric
from pipeline.training.face import KEPT
from pipeline.training.frozen import FrozenFeatures
from pipeline.training.networks import set_up
from pipeline.training.split import split_source
from pipeline.training.validation import RecallAt1

RECIPE, EPOCHS, SEED = "margin_softmax", 3, 1
CHANGES = {"recipe": RECIPE, "epochs": EPOCHS, "optim": {"lr": 0.02, "weight_decay": 0.0001}, "augment": {"views": 0}}


def train(params: dict[str, Any], cache: Path, *, cached: bool) -> tuple[float, list[float], torch.Tensor, float]:
    """Seconds of preparation, of each epoch, the head's weight, and recall@1 on held-out items."""
    common, runtime = read_section(params, "finetune", FinetuneParams), read_section(params, "runtime", RuntimeParams)
    table = read_manifest(MANIFEST_FILE)
    rows, held_out = split_source(table, common.val_share, SEED)
    fabric = start_fabric("cpu", common.precision)
    torch.manual_seed(SEED)
    source = table.iloc[part_rows(table, Part.SOURCE_TRAIN)]
    frozen = FrozenFeatures(source, RAW_FOLDER, cache, runtime, fabric.device, SEED, 0)
    module, section = load_recipe(params, RECIPE)
    before = perf_counter()
    workers = 0 if cached else runtime.workers
    recipe = module.build(TrainingContext(rows, RAW_FOLDER, common, SEED, workers, fabric, frozen), section)
    network = recipe.networks[KEPT]
    taken = inference_transform(network.input), network.input.decoded_side
    if not cached:
        recipe.rows = PictureRows(Pictures(rows, RAW_FOLDER, *taken))
    set_up(recipe, fabric)
    prepared, seconds = perf_counter() - before, []
    for epoch in range(EPOCHS):
        before, batches = perf_counter(), recipe.n_batches(epoch)
        for index, batch in enumerate(progress(recipe.batches(epoch, 0), total=batches, what="train", unit="batch")):
            torch.manual_seed(1000 * epoch + index)
            recipe.step(batch, epoch + index / batches)
        seconds.append(perf_counter() - before)
    shown = frozen.plain(network, held_out, *taken)
    found = RecallAt1(shown, held_out, fabric, batch_size=runtime.batch_size, workers=0)(network)
    return prepared, seconds, network.head.weight.detach(), found[RecallAt1.watched]


def main() -> None:
    """Print what either takes and finds, and how far their weights are apart."""
    params = load_params()
    params["finetune"] |= CHANGES | {name: params["finetune"][name] | CHANGES[name] for name in ("optim", "augment")}
    params["finetune"]["model"] |= {"frozen": True, "embedding_dim": 64}
    with TemporaryDirectory() as cache:
        made = {name: train(params, Path(cache), cached=name == "features") for name in ("features", "pictures")}
    for name, (prepared, seconds, _, recall) in made.items():
        epoch = sum(seconds) / EPOCHS
        print(f"{name}: prepared in {prepared:.1f} s, an epoch in {epoch:.2f} s, recall@1 {recall:.4f}")
    apart = (made["features"][2] - made["pictures"][2]).abs().max()
    print(f"largest difference of weights {apart:.1e}, largest weight {made['pictures'][2].abs().max():.2f}")


if __name__ == "__main__":
    with chdir(sys.argv[1]):
        main()
