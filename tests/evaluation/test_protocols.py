"""Protocols of other shapes than today's: attributes, and distances of rows as they are; and the metrics they name."""

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.arrays.ragged import Ragged
from pipeline.base.errors import UserError
from pipeline.base.plugins import plugin_names
from pipeline.evaluation import metric
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.metric import metric_of
from pipeline.evaluation.protocols import PROTOCOLS, Protocol, with_metrics
from pipeline.evaluation.sides import Sides

# Three queries and four gallery pictures, on a line, each with a colour and a sleeve: a row an attribute.
PLACES = {"q0": 0.0, "q1": 10.0, "q2": 4.0, "g0": 1.0, "g1": 3.0, "g2": 9.0, "g3": 30.0}
COLOURS = {"q0": "red", "q1": "blue", "q2": "green", "g0": "blue", "g1": "red", "g2": "blue", "g3": "red"}
SLEEVES = {"q0": "red", "q1": "long", "q2": "long", "g0": "red", "g1": "long", "g2": "long", "g3": "none"}

PICTURES = list(PLACES)
TABLE = pd.DataFrame(
    [
        {
            "picture": PICTURES.index(name),
            "attribute": attribute,
            "value": values[name],
            "split": "query" if name.startswith("q") else "gallery",
        }
        for attribute, values in (("sleeve", SLEEVES), ("colour", COLOURS))
        for name in PICTURES
    ]
).set_index("picture")
# Pictures of one direction: by cosine they are all the same.
ROWS = np.array([[PLACES[PICTURES[picture]], 0.0] for picture in TABLE.index], dtype=np.float32)


def values_of_attributes(table: pd.DataFrame) -> Sides:
    return Sides(table["value"].to_numpy(dtype=str), table["attribute"].to_numpy(dtype=str))


ATTRIBUTES = Protocol(
    values_of_attributes, ("map", "cmc@1"), ("map",), scope="Mean over the attributes", measure="euclidean"
)


def test_an_attribute_is_a_group_and_its_value_the_label():
    evaluation = evaluate({"baseline": ROWS}, TABLE, ATTRIBUTES, aligned=["colour"], examples=2, shown=3, resamples=20)
    result = evaluation.results["baseline"]
    assert result.groups == ("colour", "sleeve")
    assert result.dropped.tolist() == [1, 0], "nothing else is green"
    # colour: q0 finds g1 (place 2), then g3 (4); q1 finds g2 (1), then g0 (3). sleeve: the red one is no red colour.
    assert result.values["map"].tolist() == pytest.approx([(1 / 2 + 2 / 4) / 2, (1 + 2 / 3) / 2, 1, 1, (1 + 2 / 3) / 2])
    summary = evaluation.summaries()["baseline"]
    assert list(summary["categories"]) == ["colour", "sleeve"]
    assert summary["aligned"]["map"] == pytest.approx((1 / 2 + 5 / 6) / 2)
    assert (summary["all"]["queries"], summary["all"]["dropped"]) == (5, 1)
    # Examples: two queries of each attribute, which are shown the rows of that attribute.
    gallery = evaluation.gallery
    for query, shown in zip(evaluation.examples["query"], evaluation.nearest["query"]["baseline"], strict=True):
        attribute = evaluation.queries["attribute"].iloc[query]
        assert set(gallery["attribute"].iloc[shown]) == {attribute}
    assert len(evaluation.examples["query"]) == 4


def test_the_measure_is_part_of_the_protocol():
    rows = pd.DataFrame({"value": ["a", "a", "b"], "attribute": "x"}, index=[0, 1, 2])
    embeddings = torch.tensor([[1.0, 0.0], [9.0, 0.0], [0.8, 0.6]])
    first = {}
    for measure in ("cosine", "euclidean"):
        protocol = Protocol(values_of_attributes, ("cmc@1",), ("cmc@1",), measure=measure)
        side = protocol.side(embeddings, rows)
        first[measure] = protocol.score(side, side).first_rank.tolist(), protocol.top_k(side, side, 2)[0].tolist()
    assert first == {"cosine": ([1, 1], [1, 2]), "euclidean": ([2, 1], [2, 1])}


def test_every_metric_that_a_protocol_names_is_there():
    ranks = Ragged(np.array([1, 3, 2]), np.array([0, 2, 3]))
    for protocol in PROTOCOLS.values():
        for key in protocol.metrics:
            assert metric_of(key)(ranks).shape == (2,), key
        assert set(protocol.headline) <= set(protocol.metrics)
    assert [metric_of(key)(ranks).tolist() for key in ("cmc@1", "recall@1", "recall@2")] == [[1, 0], [1, 0], [1, 1]]
    for key in ("mapp", "map@s", "map@3", "cmc", "cmc@0", "cmc@-1"):
        with pytest.raises(KeyError):
            metric_of(key)


def test_further_metrics_are_told_beside_those_of_the_protocol():
    protocol = with_metrics(PROTOCOLS["street2shop"], ["recall@3", "cmc@1", "map@r"])
    assert protocol.metrics == (*PROTOCOLS["street2shop"].metrics, "recall@3", "map@r")
    with pytest.raises(UserError, match=r"evaluate.metrics: unknown metric 'recal@3'; known: cmc@k, .*recall@k"):
        with_metrics(protocol, ["recal@3"])


def test_a_metric_is_a_module(monkeypatch, tmp_path):
    (tmp_path / "own_metrics").mkdir()
    (tmp_path / "own_metrics/__init__.py").write_text("")
    (tmp_path / "own_metrics/depth.py").write_text(
        "METRICS = {'depth': lambda ranks: ranks.values[ranks.offsets[1:] - 1].astype(float)}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(metric, "FOLDER", "own_metrics")
    monkeypatch.setattr(metric, "_known", metric._known.__wrapped__)
    assert plugin_names("own_metrics") == ["depth"]
    protocol = Protocol(values_of_attributes, ("depth",), ("depth",), measure="euclidean")
    result = evaluate({"baseline": ROWS}, TABLE, protocol, resamples=5).results["baseline"]
    assert result.values["depth"].tolist() == [4, 3, 1, 2, 3]
