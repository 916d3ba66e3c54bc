"""The command convert: what it writes, and that it runs no code of a file that is not trusted."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from click.testing import CliRunner
from support.chain import Outcome

from pipeline.models.folder import load_head
from stages.convert import main

LAYER = {"fc.weight": torch.arange(12.0).reshape(3, 4), "fc.bias": torch.ones(3)}


class Explosive:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def convert(*arguments: str | Path) -> Outcome:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Outcome(done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "as torch 1.3 wrote it"])
def test_tensors_need_no_trust(tmp_path, zipped):
    path, out = tmp_path / "layer.t7", tmp_path / "models/out"
    torch.save({"state_dict": LAYER, "epoch": 44999}, path, _use_new_zipfile_serialization=zipped)
    done = convert(path, out)
    assert done.code == 0, done.stderr
    assert "a head of 4 to 3" in done.stdout
    assert torch.equal(load_head(out).weight, LAYER["fc.weight"])
    before = {file: file.read_bytes() for file in out.iterdir()}
    convert(path, out).check_message("convert", f"{out}: is there already")
    assert {file: file.read_bytes() for file in out.iterdir()} == before


@pytest.mark.parametrize("zipped", [True, False])
def test_objects_need_trust(tmp_path, zipped):
    path, out, trace = tmp_path / "model.pt", tmp_path / "out", tmp_path / "trace"
    torch.save({"state_dict": LAYER, "pca": Explosive(trace)}, path, _use_new_zipfile_serialization=zipped)
    convert(path, out).check_message("convert", str(path), "holds pickled objects", "can run any code", "--trust")
    assert not trace.exists()
    assert not out.exists()
    done = convert(path, out, "--trust")
    assert done.code == 0, done.stderr
    assert trace.exists()
    assert (out / "model.safetensors").is_file()


def test_objects_of_packages_that_are_not_here(tmp_path):
    gone = ModuleType("gone")
    gone.PCA = type("PCA", (), {"__module__": "gone", "__init__": lambda self: setattr(self, "whiten", True)})
    sys.modules["gone"] = gone
    try:
        torch.save({"state_dict": LAYER, "pca": {"Landmarks_clean": gone.PCA()}}, tmp_path / "model.pt")
    finally:
        del sys.modules["gone"]
    convert(tmp_path / "model.pt", tmp_path / "out").check_message("convert", "(gone.PCA)", "--trust")
    assert convert(tmp_path / "model.pt", tmp_path / "out", "--trust").code == 0


@pytest.mark.parametrize("trust", [(), ("--trust",)])
def test_not_a_checkpoint(tmp_path, trust):
    whole = tmp_path / "whole.pt"
    torch.save({"state_dict": LAYER}, whole)
    old = tmp_path / "old.pt"
    torch.save({"state_dict": LAYER}, old, _use_new_zipfile_serialization=False)
    contents = {
        "text": b"hello world" * 9,
        "empty": b"",
        "zip": whole.read_bytes()[:400],
        "cut": old.read_bytes()[:300],
    }
    for name, content in contents.items():
        path = tmp_path / f"{name}.pt"
        path.write_bytes(content)
        convert(path, tmp_path / "out", *trust).check_message("convert", str(path), "not a checkpoint of torch.save")
    convert(tmp_path / "none.pt", tmp_path / "out", *trust).check_message("convert", "none.pt: no such file")
    assert not (tmp_path / "out").exists()
