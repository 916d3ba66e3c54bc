"""The command export, on the finished chain."""

import json
import re
from contextlib import chdir

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from support.searching import manifest

from pipeline.images.decode import load_image
from pipeline.images.transforms import framed
from pipeline.models.folder import load_adapted
from pipeline.models.kinds import load_embedder
from stages._console import main

ort = pytest.importorskip("onnxruntime", reason="the extra export is not installed")


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """The finished chain with an export of viewed beside it."""
    chain = finished.copy(tmp_path_factory.mktemp("exported"))
    said = chain.succeed("export")
    assert "viewed in data/export/viewed; largest deviation from the model: ONNX " in said
    assert not list((chain.folder / "data/.partial").glob("tmp*"))
    return chain


@pytest.fixture(scope="module")
def session(exported):
    return ort.InferenceSession(exported.folder / "data/export/viewed/model.onnx")


def frames(chain, rows: pd.DataFrame) -> np.ndarray:
    network = load_embedder(chain.folder / "data/models/backbone")
    side = network.input.decoded_side
    paths = [chain.folder / "data/raw" / image for image in rows.image]
    return np.stack([framed(network.input)(load_image(path, None, target_side=2 * side)) for path in paths])


def test_the_card_of_viewed(exported):
    said = (exported.folder / "data/export/viewed/model_card.md").read_text()
    figure = json.loads((exported.folder / "metrics/evaluate.json").read_text())["viewed"]["all"]["map"]
    for text in (f"| map | {figure:.4f} |", "blended with views", "(source): 166 pictures of 42 items", "32, 32, 3"):
        assert text in said
    mix = load_adapted(exported.folder / "data/models/adapter/viewed").mix
    assert mix.name in said
    deviations = [float(value) for value in re.findall(r"^- (?:ONNX|torch.+|the model from .+): (\S+)$", said, re.M)]
    assert len(deviations) == 3
    assert max(deviations) < 1e-4


def test_the_exported_file_finds_what_the_index_finds(exported, session, searcher):
    rows = manifest(exported).query("meta_domain == 'target' and split == 'query'")[:6]
    domain = {"domain": np.zeros(len(rows), np.int64)} if len(session.get_inputs()) > 1 else {}
    (vectors,) = session.run(["embeddings"], {"pictures": frames(exported, rows)} | domain)
    ids = searcher.index.ids
    catalogue = searcher.index.engines["viewed"].rows(ids)
    for vector, image in zip(vectors, rows.image, strict=True):
        answer = searcher.search(exported.folder / "data/raw" / image, 10, model="viewed")
        scores = catalogue @ vector
        found = ids[np.argsort(-scores, kind="stable")[:10]]
        np.testing.assert_allclose(np.sort(scores)[::-1][:10], [hit.score for hit in answer.hits], atol=1e-5)
        assert found.tolist() == [hit.row for hit in answer.hits]


def test_the_program_of_torch_is_the_same(exported, session):
    shown = torch.from_numpy(frames(exported, manifest(exported)[:3]))
    program = torch.export.load(exported.folder / "data/export/viewed/model.pt2").module()
    told = [torch.tensor([0, 1, 1])] if len(session.get_inputs()) > 1 else []
    inputs = dict(zip(("pictures", "domain"), (one.numpy() for one in (shown, *told)), strict=False))
    np.testing.assert_allclose(program(shown, *told), session.run(None, inputs)[0], atol=1e-5)


def test_baseline_needs_no_adapter(exported):
    (exported.folder / "data/models/adapter/heads.json").rename(exported.folder / "heads.json")
    try:
        exported.fails("export", "heads.json: not a list of heads", "dvc repro adapt")
        exported.succeed("export --model baseline --out other/place --opset 20")
    finally:
        (exported.folder / "heads.json").rename(exported.folder / "data/models/adapter/heads.json")
    assert "opset 20" in (exported.folder / "other/place/model_card.md").read_text()
    (port,) = ort.InferenceSession(exported.folder / "other/place/model.onnx").get_inputs()
    assert (port.name, port.shape, port.type) == ("pictures", ["batch", 32, 32, 3], "tensor(uint8)")


def test_mistakes(chain):
    known = "known: baseline, udma_control, udma, control, linked, viewed; "
    chain.fails("export --model vieewed", "--model: 'vieewed' is none of this run", known)
    chain.fails("export --opset 12", "--opset: 12 cannot be written", "give one of 18 to ")
    chain.fails("export --out data/index", "data/index: holds ", "no part of an export")
    (chain.folder / "data/models/backbone/model.json").unlink()
    chain.fails("export", "data/models/backbone: not a model of this project", "dvc repro -f finetune")
    (chain.folder / "data/manifest.parquet").unlink()
    chain.fails("export", "data/manifest.parquet", "dvc repro prepare")


def test_another_kind_of_network(chain, monkeypatch):
    from support.conditioned import ConditionedNetwork

    from pipeline.models import kinds

    monkeypatch.setitem(kinds.KINDS, "conditioned", ConditionedNetwork)
    settings = {"column": "category", "values": ["a"], "image_size": 32, "embedding_dim": 16, "norm_features": False}
    kinds.save_embedder(chain.folder / "data/models/backbone", ConditionedNetwork(settings))
    chain.fails("export --model baseline", "a network of kind conditioned", "export takes those of kind embedder")


def test_it_is_a_command_of_the_console(finished):
    with chdir(finished.folder):
        done = CliRunner().invoke(main, ["export", "--help"])
    assert done.exit_code == 0
    assert "--resize [none|own|squash]" in done.stdout
