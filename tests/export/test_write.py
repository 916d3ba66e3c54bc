"""The folder of an export: whole or not there, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.exporting import SIDE, tiny

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, IMAGE
from pipeline.export import onnx_file, program
from pipeline.export.compose import Composed
from pipeline.export.verify import deviation, draw_samples, measure
from pipeline.export.write import check_out, write_export

for needed in onnx_file.EXTRA:
    pytest.importorskip(needed, reason="the extra export is not installed")


@pytest.fixture
def rows(tmp_path) -> pd.DataFrame:
    for number in range(3):
        picture = np.random.default_rng(number).integers(0, 256, (30 + number, 40, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    return pd.DataFrame({IMAGE: [f"{number}.png" for number in range(3)]}).assign(**dict.fromkeys(BOX, np.nan))


def write(folder: Path, rows: pd.DataFrame, **changes) -> None:
    asked = {"resize": "none", "raw": False, "opset": 23, "training": ["nothing"], "figures": {"map": 0.5}, "scope": ""}
    places = {"tested": rows, "raw_folder": folder, "scratch": folder / "scratch"}
    write_export(folder / "out", tiny(), **asked | places | changes)


@pytest.fixture
def off(monkeypatch) -> dict[str, float]:
    """Files of ONNX that nobody looks into, whose answers are off by `by`."""
    told, model = {"by": 0.0}, Composed(tiny().network)
    monkeypatch.setattr(onnx_file, "write_onnx", lambda path, *_: path.write_bytes(b"graph"))
    monkeypatch.setattr(onnx_file, "read_onnx", lambda _: lambda inputs: model.run(inputs) + told["by"])
    return told


def test_what_deviates_is_not_published(tmp_path, rows, off):
    write(tmp_path, rows)
    out = tmp_path / "out"
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert sorted(before) == ["model.onnx", "model.pt2", "model_card.md"]
    for by in (0.001, float("nan")):
        off["by"] = by
        with pytest.raises(UserError, match=r"^ONNX deviates by (0.001|inf) from the model, more than 0.0001: "):
            write(tmp_path, rows, figures={})
        assert {file.name: file.read_bytes() for file in out.iterdir()} == before
        assert not list((tmp_path / "scratch").iterdir())
    off["by"] = 0
    write(tmp_path, rows, figures={})
    assert (out / "model_card.md").read_bytes() != before["model_card.md"], "replaced"


@pytest.mark.parametrize("opset", [3, 17, 26, 99])
def test_an_opset_that_cannot_be_written(tmp_path, rows, opset):
    with pytest.raises(UserError, match=rf"^--opset: {opset} cannot be written with onnx [\d.]+; give one of 18 to "):
        write(tmp_path, rows, opset=opset)
    assert not (tmp_path / "out").exists()


def test_other_folders_are_left_alone(tmp_path):
    check_out(tmp_path / "new")
    check_out(tmp_path)
    (tmp_path / "model.onnx").touch()
    check_out(tmp_path)
    with pytest.raises(UserError, match="a file; name a folder"):
        check_out(tmp_path / "model.onnx")
    (tmp_path / "diary.txt").touch()
    with pytest.raises(UserError, match=r"holds diary.txt, no part of an export"):
        check_out(tmp_path)


def test_missing_packages_are_named(monkeypatch):
    found = onnx_file.find_spec
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None if name.startswith("onnxr") else found(name))
    with pytest.raises(UserError, match=r"^onnxruntime: not installed; run `pip install 'crosswear\[export\]'`$"):
        onnx_file.check_packages()


def test_a_network_that_cannot_be_followed(tmp_path, rows, monkeypatch):
    chosen = tiny()
    monkeypatch.setattr(chosen.network.backbone, "forward", lambda images: images if images.sum() > 0 else -images)
    with pytest.raises(UserError, match=r"^torch.export cannot follow this network \(.*\); take another$"):
        program.capture(Composed(chosen.network))


def test_what_is_measured(tmp_path, rows):
    model = Composed(tiny().network)
    samples = draw_samples(model, rows, tmp_path)
    assert [picture.shape for picture in samples.noise + samples.real] == 5 * [(SIDE, SIDE, 3)]
    seen = []

    def same(inputs):
        seen.append(len(inputs["pictures"]))
        return model.run(inputs)

    measured = measure(model, {"same": same}, samples)
    assert measured.exports == {"same": 0.0}
    assert set(seen) == {1, 3}
    assert measured.real == 3
    assert measured.chain < 1e-6
    resizing = Composed(tiny().network, "squash")
    samples = draw_samples(resizing, rows, tmp_path)
    assert [picture.shape for picture in samples.real] == [(30, 40, 3), (31, 40, 3), (32, 40, 3)]
    assert 0 < measure(resizing, {}, samples).chain < 0.1
    assert measure(model, {}, draw_samples(model, rows[:0], tmp_path)).chain is None


def test_deviation():
    one = np.array([[3.0, 4.0], [0.6, 0.8]])
    assert deviation(one + 0.1, one) == pytest.approx(0.1)
    assert deviation(one + np.array([[0.5], [0]]), one) == pytest.approx(0.1), "a share of the row's length"
    assert deviation(one[:1], one) == deviation(one * np.nan, one) == float("inf")
