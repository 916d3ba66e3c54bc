"""Stages killed half-way with SIGKILL: they go on where they were, and end in the bytes of an undisturbed run."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from support.chain import Chain

from pipeline.base.atomic import remove
from pipeline.base.names import IMAGE, MANIFEST_FILE, META_DOMAIN, RAW_FOLDER
from pipeline.table.manifest import read_manifest

WAIT = 120  # seconds that a busy machine may need to start a stage


def _kill_when(
    chain: Chain, stage: str, *options: str, sees: str, fit: Callable[[Path], bool] = lambda _: True
) -> None:
    """Start `stage` and kill it as soon as there is a file `sees` that is `fit`, among work in progress or cached."""
    deadline = time.monotonic() + WAIT
    with chain.start(stage, *options) as running:
        try:
            while not any(map(fit, (chain.folder / "data").glob(sees))):
                assert running.poll() is None, f"over before it could be killed: {running.communicate()}"
                assert time.monotonic() < deadline
                time.sleep(0.005)
        finally:
            running.kill()
    assert running.returncode == -signal.SIGKILL


def _drop(chain: Chain, *outs: str) -> None:
    """Delete outputs, as DVC does before it runs a stage."""
    for out in outs:
        remove(chain.folder / out)


def test_finetune(finished, chain, tmp_path):
    outs = ("data/models/backbone", "metrics/curves/finetune", "metrics/finetune.json")
    _drop(chain, *outs)
    left = chain.outputs()
    _kill_when(chain, "finetune", sees=".partial/finetune/*/checkpoint.pt")
    assert chain.outputs() == left, "nothing half-written, nothing lost"

    changed = chain.copy(tmp_path / "changed", {"finetune.optim.lr": 0.002})
    assert "resuming" not in changed.succeed("finetune")

    said = chain.succeed("finetune")
    assert "resuming at epoch" in said
    assert "resuming at epoch 1, batch 1\n" not in said
    assert chain.digests() == finished.digests()


# The epochs of the tiny chain: only the networks learn, the head too, everything, and everything at a lower rate.
@pytest.mark.parametrize("epoch", [1, 3], ids=["head", "all, slower"])
def test_finetune_dada(finished_dada, tmp_path, epoch):
    def within_epoch(checkpoint: Path) -> bool:
        stands = torch.load(checkpoint, weights_only=True, mmap=True)["run"]
        return stands["epoch"] == epoch and stands["batch"] > 0

    chain = finished_dada.copy(tmp_path)
    _drop(chain, "data/models/backbone", "metrics/curves/finetune", "metrics/finetune.json")
    left = chain.outputs()
    _kill_when(chain, "finetune", sees=".partial/finetune/*/checkpoint.pt", fit=within_epoch)
    assert chain.outputs() == left, "nothing half-written, nothing lost"

    said = chain.succeed("finetune")
    assert re.search(rf"resuming at epoch {epoch + 1}, batch [2-4]\n", said), "killed within an epoch"
    assert chain.digests() == finished_dada.digests()


@pytest.mark.parametrize("cache", [None, "data/.cache"])
def test_extract(chain, cache):
    kept = ".partial/*/*/pooled/*/*.npy" if cache is None else ".cache/*/*.npy"
    chain.change({"runtime.cache": cache})
    # Every source picture many times in a row, so that there is enough to do.
    table = read_manifest(chain.folder / MANIFEST_FILE)
    source = table[table[META_DOMAIN] == "source"]
    source.loc[source.index.repeat(12)].to_parquet(chain.folder / MANIFEST_FILE, index=False)
    undisturbed = chain.copy(chain.folder.with_name("undisturbed"))
    undisturbed.succeed("extract --part source_train")

    _drop(chain, "data/features/source_train.h5", "data/.cache")
    left = chain.outputs()
    _kill_when(chain, "extract", "--part", "source_train", sees=kept)
    assert _without_cache(chain.outputs()) == left, "nothing half-written, nothing lost"

    # The pictures of a finished chunk are not even looked at again; those of the others are.
    first = chain.folder / RAW_FOLDER / source[IMAGE].iloc[0]
    first.unlink()
    changed = chain.copy(chain.folder.with_name("changed"), {"runtime.batch_size": 31})
    assert first.name in changed.run("extract", "--part", "source_train").stderr
    chain.succeed("extract --part source_train")
    first.write_bytes((undisturbed.folder / RAW_FOLDER / source[IMAGE].iloc[0]).read_bytes())
    assert chain.digests() == undisturbed.digests()


@pytest.mark.parametrize("cache", [None, "data/.cache"])
def test_draw(chain, cache):
    kept = ".partial/draw-*/*/pooled/*/*.npy" if cache is None else ".cache/*/*.npy"
    chain.change({"runtime.cache": cache, "runtime.chunk_rows": 4, "views.kinds": ["street"], "views.number": 8})
    undisturbed = chain.copy(chain.folder.with_name("undisturbed"))
    undisturbed.succeed("draw --part target_test")

    _drop(chain, "data/views/target_test.h5", "data/.cache")
    left = chain.outputs()
    _kill_when(chain, "draw", "--part", "target_test", sees=kept)
    assert _without_cache(chain.outputs()) == left, "nothing half-written, nothing lost"

    # The pictures of a finished chunk are not even looked at again; those of the others are.
    table = read_manifest(chain.folder / MANIFEST_FILE)
    first = chain.folder / RAW_FOLDER / table.query("meta_domain == 'target' and split == 'gallery'")[IMAGE].iloc[0]
    content = first.read_bytes()
    first.unlink()
    changed = chain.copy(chain.folder.with_name("changed"), {"seed": 2})
    assert first.name in changed.run("draw", "--part", "target_test").stderr
    chain.succeed("draw --part target_test")
    first.write_bytes(content)
    assert chain.digests() == undisturbed.digests()


@pytest.mark.parametrize("cache", [None, "data/.cache"])
def test_finetune_frozen(chain, cache):
    chain.change({"finetune.model.frozen": True, "finetune.augment.views": 2, "finetune.epochs": 60})
    chain.change({"finetune.keep": "last", "runtime.cache": cache})
    undisturbed = chain.copy(chain.folder.with_name("undisturbed"))
    assert "2 random views a picture" in undisturbed.succeed("finetune")

    _drop(chain, "data/models/backbone", "metrics/curves/finetune", "metrics/finetune.json")
    left = chain.outputs()
    _kill_when(chain, "finetune", sees=".partial/finetune/*/checkpoint.pt")
    assert _without_cache(chain.outputs()) == left, "nothing half-written, nothing lost"
    said = chain.succeed("finetune")
    assert "resuming at epoch" in said
    assert chain.digests() == undisturbed.digests()


def _without_cache(files: dict[str, str]) -> dict[str, str]:
    return {path: digest for path, digest in files.items() if not path.startswith("data/.cache/")}


def test_adapt(chain, tmp_path):
    chain.change({"adapt.steps": 200})
    undisturbed = chain.copy(tmp_path / "undisturbed", {"runtime.checkpoint_seconds": 1000.0})
    undisturbed.succeed("adapt")

    _drop(chain, "data/models/adapter", "metrics/curves/adapt", "metrics/adapt.json")
    left = chain.outputs()
    _kill_when(chain, "adapt", sees=".partial/adapt/*/udma.pt")
    assert chain.outputs() == left, "nothing half-written, nothing lost"

    changed = chain.copy(tmp_path / "changed", {"adapt.lr": 0.002})
    assert "resuming" not in changed.succeed("adapt")

    said = chain.succeed("adapt")
    assert "udma_control: resuming at step 201" in said, "the control was done"
    assert "udma: resuming at step" in said
    assert "udma: resuming at step 1\n" not in said
    assert chain.digests() == undisturbed.digests()
