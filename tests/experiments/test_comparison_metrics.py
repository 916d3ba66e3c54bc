"""Which metrics a comparison can be of, beside what evaluations have."""

import numpy as np
import pytest
import torch
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.evaluation.protocols import AUTO, PROTOCOLS
from pipeline.experiments.changes import changed
from pipeline.experiments.metrics import check_metric, metric_names
from pipeline.retrieval.search import Side

COUNTS = {"queries", "dropped", "categories", "empty_categories"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_names_are_those_of_an_evaluation(protocol):
    embeddings = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    pictures = Side(embeddings, np.repeat(["a", "b", "c", "d"], 3), np.full(12, "tops"), np.arange(12))
    summary = PROTOCOLS[protocol].score(pictures, pictures).summary({"tops"})
    for scope in ("all", "aligned"):
        assert set(metric_names(protocol, scope)) == set(summary[scope]) - COUNTS


def test_auto_may_have_those_of_all():
    names = metric_names(AUTO, "all")
    assert {"map_trapezoidal", "nmi", "map@50_published", "map@r_published", "intra_distance"} <= set(names)
    assert len(names) == len(set(names))
    check_metric("nmi", "all", {"a": default_params()})


@pytest.mark.parametrize(
    ("metric", "scope", "protocol", "said"),
    [
        ("mapp", "all", "auto", "has no 'mapp' (scope all, evaluate.protocol auto); did you mean 'map'?"),
        ("cmc@1", "all", "dml", "has no 'cmc@1' (scope all, evaluate.protocol dml)"),
        ("nmi", "aligned", "dml", "has no 'nmi' (scope aligned, evaluate.protocol dml)"),
        ("queries", "all", "inshop", "known: recall@1, "),
    ],
)
def test_a_metric_that_a_setting_cannot_have_is_refused(metric, scope, protocol, said):
    settings = {"bad": changed(default_params(), {"evaluate.protocol": protocol})}
    with pytest.raises(UserError) as caught:
        check_metric(metric, scope, settings)
    assert str(caught.value).startswith("metric: settings.bad has no ")
    assert said in str(caught.value)
