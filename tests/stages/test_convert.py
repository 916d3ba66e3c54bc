"""The command convert: what it writes, and that it runs no code of a file that is not trusted."""

import gzip
import io
import pickle
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save
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


def _whole() -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": LAYER}, buffer)
    return buffer.getvalue()


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model.pt", _whole())
    return buffer.getvalue()


def _script() -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("trust", [(), ("--trust",)])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html>\n<html><title>Quota exceeded</title></html>", "an HTML page"),
        (b"\xef\xbb\xbf <HTML>" + "é".encode() * 600, "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n", "git-lfs; run `git lfs pull`"),
        (save(LAYER), "safetensors"),
        (gzip.compress(_whole()), "packed by gzip; unpack it"),
        (b'{"state_dict": {}}', "JSON"),
        (_zipped(), "a zip archive; unpack it"),
        (_script(), "TorchScript"),
        (pickle.dumps({"path": Path("x")}), "a pickle of another program"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
        (b"c is for cookie\nGLOBAL os.system\n", "text; get it again"),
        (b"", "an empty file"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, says, trust):
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    done = convert(path, tmp_path / "out", *trust)
    done.check_message("convert", f"{path}: not a checkpoint of torch.save but ", says)
    assert "--trust" not in done.stderr


def test_tensors_in_another_protocol_take_no_trust(tmp_path):
    path = tmp_path / "model.pt"
    torch.save({"state_dict": LAYER}, path, pickle_protocol=4)
    convert(path, tmp_path / "out").check_message("convert", "protocol")
