"""Fine-tuning and adapting in two processes: the files of one process, killed or not; mistakes are told once."""

import time

import pytest
from safetensors.torch import load_file
from support.processes import LIMIT, kill_all, succeed, torchrun

from pipeline.base.atomic import remove
from pipeline.base.names import IMAGE, MANIFEST_FILE, META_DOMAIN, RAW_FOLDER
from pipeline.table.manifest import read_manifest

# Few steps that rounding does not blow up.
CALM = {
    "finetune.epochs": 1,
    "finetune.optim.name": "sgd",
    "finetune.optim.lr": 0.0003,
    "finetune.optim.warmup_epochs": 0.0,
    "adapt.steps": 5,
}


@pytest.mark.parametrize("stage", ["finetune", "adapt"])
def test_files_are_those_of_one_process(chain, tmp_path, stage):
    chain.change(CALM)
    together = chain.copy(tmp_path / "together")
    started = torchrun(together.folder, f"stages.{stage}")
    chain.succeed(stage)
    said = succeed(started)
    assert said.count("finetune: epoch 1/1" if stage == "finetune" else "adapt: udma: ") == 1
    assert set(together.digests()) == set(chain.digests())
    files = sorted((chain.folder / "data/models").rglob("*.safetensors"))
    for file in files:
        expected, found = load_file(file), load_file(together.folder / file.relative_to(chain.folder))
        assert {name: value.shape for name, value in found.items()} == {n: v.shape for n, v in expected.items()}
        for name, value in expected.items():
            assert (found[name].double() - value.double()).abs().max() < 1e-5, name


def test_killed_and_resumed_gives_the_bytes_of_an_undisturbed_run(chain, tmp_path):
    outs = ("data/models/backbone", "metrics/curves/finetune", "metrics/finetune.json")
    for out in outs:
        remove(chain.folder / out)
    undisturbed = chain.copy(tmp_path / "undisturbed")
    left, deadline = chain.outputs(), time.monotonic() + LIMIT
    launcher = torchrun(chain.folder, "stages.finetune")
    try:
        while not list((chain.folder / "data/.partial/finetune").glob("*/checkpoint.pt")):
            assert launcher.poll() is None, launcher.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        kill_all(launcher)
    assert chain.outputs() == left, "nothing half-written, nothing lost"
    said = succeed(torchrun(chain.folder, "stages.finetune"))
    assert said.count("resuming at epoch") == 1
    assert "resuming at epoch 1, batch 1\n" not in said
    # Two processes of one machine are the same two, whoever starts them.
    undisturbed.change({"runtime.devices": 2})
    with undisturbed.start("finetune") as running:
        running.communicate(timeout=LIMIT)
    assert running.returncode == 0
    assert chain.digests(*outs) == undisturbed.digests(*outs)


def test_a_mistake_that_one_process_finds_ends_both_with_one_line(chain):
    table = read_manifest(chain.folder / MANIFEST_FILE)
    chain.change({"runtime.devices": 2, "finetune.val_share": 0.0, "finetune.keep": "last"})
    broken = table[table[META_DOMAIN] == "source"][IMAGE].iloc[0]
    (chain.folder / RAW_FOLDER / broken).write_bytes(b"no picture")
    left = chain.outputs()
    with chain.start("finetune") as running:
        _, stderr = running.communicate(timeout=LIMIT)
    assert running.returncode != 0
    assert stderr.count("\n") == 1, stderr
    assert stderr.startswith("finetune: error: ")
    assert broken in stderr
    assert chain.outputs() == left
