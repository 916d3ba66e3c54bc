"""Both graphs give what the network gives: any batch, every head, with and without resizing."""

import re
import zipfile

import numpy as np
import pytest
import torch
from support.exporting import DIM, SIDE, tiny_network

from pipeline.export.compose import Composed
from pipeline.export.program import capture, read_program, write_program
from pipeline.export.verify import deviation
from pipeline.images.transforms import normalize
from pipeline.models.embedder import build_embedder
from pipeline.params.finetune import ModelParams

pytest.importorskip("onnxruntime", reason="the extra export is not installed")
onnx = pytest.importorskip("onnx", reason="the extra export is not installed")
pytest.importorskip("onnxscript", reason="the extra export is not installed")
from pipeline.export.onnx_file import read_onnx, write_onnx  # noqa: E402


def exported(model: Composed, folder, opset: int = 23):
    program = capture(model)
    write_program(folder / "model.pt2", program)
    write_onnx(folder / "model.onnx", program, model, opset)
    return read_onnx(folder / "model.onnx"), read_program(folder / "model.pt2")


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.mark.parametrize("head", [{"output": "layernorm"}, {"root": True, "domains": True}], ids=["plain", "whitened"])
def test_graphs_equal_the_network(tmp_path, head):
    network = tiny_network(**head)
    model = Composed(network)
    for run in exported(model, tmp_path):
        for count in (1, 2, 5):
            shown = pictures(count, SIDE, SIDE)
            codes = torch.arange(count) % 2
            with torch.inference_mode():
                wanted = network.head(network.pool(normalize(torch.from_numpy(shown), network.input)), codes).numpy()
            got = run(model.batch(shown))
            assert got.shape == (count, DIM)
            assert got.dtype == np.float32
            np.testing.assert_allclose(got, wanted, atol=1e-5)
            np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("resize", "opset", "params"),
    [("squash", 23, {}), ("own", 18, {"crop_from": 21, "interpolation": "bicubic", "domains": True})],
    ids=["squash", "centre"],
)
def test_sides_are_free_where_the_graph_resizes(tmp_path, resize, opset, params):
    network = tiny_network(**params)
    model = Composed(network, resize, raw=True)
    for run in exported(model, tmp_path, opset):
        for shape in ((1, 40, 31), (3, 25, 64), (2, SIDE, SIDE), (1, 9, 12)):
            inputs = model.batch(pictures(*shape))
            got = run(inputs)
            assert deviation(got, model.run(inputs)) < 1e-3
            assert (np.abs(np.linalg.norm(got, axis=1) - 1) > 0.01).all(), "raw"
    made = onnx.load(tmp_path / "model.onnx")
    assert [(one.domain, one.version) for one in made.opset_import] == [("", opset)]
    shapes = {
        port.name: [axis.dim_param or axis.dim_value for axis in port.type.tensor_type.shape.dim]
        for port in [*made.graph.input, *made.graph.output]
    }
    told = {"domain": ["batch"]} if "domains" in params else {}
    assert shapes == {"pictures": ["batch", "height", "width", 3], **told, "embeddings": ["batch", DIM]}


def test_a_real_trunk_and_no_path_of_this_machine(tmp_path):
    torch.manual_seed(0)
    params = {"backbone": "timm/resnet10t", "pooling": "gem", "gem_p": 3.0, "norm_features": True, "embedding_dim": 8}
    model = Composed(build_embedder(ModelParams(**params, image_size=32)))
    inputs = model.batch(pictures(3, 32, 32))
    for run in exported(model, tmp_path):
        assert deviation(run(inputs), model.run(inputs)) < 1e-5
    with zipfile.ZipFile(tmp_path / "model.pt2") as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    for content in [*contents, (tmp_path / "model.onnx").read_bytes()]:
        assert not re.search(rb"pipeline/models|site-packages", content)
