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
from pipeline.models.embedder import Embedder, build_embedder
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


@pytest.mark.parametrize("domains", [False, True])
@pytest.mark.parametrize("root", [False, True])
def test_graphs_equal_the_network(tmp_path, root, domains):
    network = tiny_network(root=root, domains=domains)
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


def test_inputs_and_opset_of_the_file(tmp_path):
    exported(Composed(tiny_network(domains=True), "own", raw=True), tmp_path, opset=18)
    made = onnx.load(tmp_path / "model.onnx")
    assert [(one.domain, one.version) for one in made.opset_import] == [("", 18)]
    shapes = [
        (port.name, [axis.dim_param or axis.dim_value for axis in port.type.tensor_type.shape.dim])
        for port in [*made.graph.input, *made.graph.output]
    ]
    sides = ["batch", "height", "width", 3]
    assert shapes == [("pictures", sides), ("domain", ["batch"]), ("embeddings", ["batch", DIM])]


def test_raw_is_what_the_head_gives(tmp_path):
    network, shown = tiny_network(), pictures(2, SIDE, SIDE)
    model = Composed(network, raw=True)
    with torch.inference_mode():
        wanted = network.project(network.pool(normalize(torch.from_numpy(shown), network.input))).numpy()
    assert (np.abs(np.linalg.norm(wanted, axis=1) - 1) > 0.01).all()
    for run in exported(model, tmp_path):
        np.testing.assert_allclose(run(model.batch(shown)), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("resize", "params"),
    [("squash", {}), ("own", {"interpolation": "bicubic"}), ("own", {"crop_from": 21})],
    ids=["squash", "own", "centre"],
)
def test_sides_are_free_where_the_graph_resizes(tmp_path, resize, params):
    model = Composed(tiny_network(**params), resize)
    for run in exported(model, tmp_path):
        for shape in ((1, 40, 31), (3, 25, 64), (2, SIDE, SIDE), (1, 9, 12)):
            inputs = model.batch(pictures(*shape))
            assert deviation(run(inputs), model.run(inputs)) < 1e-3


def test_no_path_of_this_machine_is_in_a_file(tmp_path):
    exported(Composed(tiny_network(root=True)), tmp_path)
    with zipfile.ZipFile(tmp_path / "model.pt2") as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    for content in [*contents, (tmp_path / "model.onnx").read_bytes()]:
        assert not re.search(rb"pipeline/models|site-packages", content)


@pytest.mark.parametrize(("backbone", "pooling"), [("timm/resnet10t", "avg_max")])
def test_a_real_trunk(tmp_path, backbone, pooling):
    torch.manual_seed(0)
    params = {"backbone": backbone, "pooling": pooling, "gem_p": 3.0, "norm_features": True, "embedding_dim": 8}
    network = build_embedder(ModelParams(**params, image_size=32, output="layernorm")).eval()
    assert isinstance(network, Embedder)
    model = Composed(network)
    inputs = model.batch(pictures(3, 32, 32))
    for run in exported(model, tmp_path):
        assert deviation(run(inputs), model.run(inputs)) < 1e-5
