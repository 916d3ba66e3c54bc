"""The figures of single queries, written and read."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from support.tables import COLUMNS

from pipeline.base.names import DIGEST
from pipeline.base.parquet import write_parquet
from pipeline.evaluation.by_query import by_query, read_by_query
from pipeline.evaluation.evaluate import Evaluation, evaluate
from pipeline.evaluation.protocols import PROTOCOLS

# Category -> its items; each has two queries and a picture in the gallery, but for the last, which cannot be found.
ITEMS = {"bags": ["x", "y"], "hats": ["x", "z", "w"]}


@pytest.fixture
def evaluation() -> Evaluation:
    rows = [
        (f"{category}/{item}{number}.png", item, category, domain, "target", split)
        for category, items in ITEMS.items()
        for item in items
        for number, (domain, split) in enumerate(
            [("consumer", "query"), ("consumer", "query"), *([("shop", "gallery")] if item != "w" else [])]
        )
    ]
    table = pd.DataFrame(rows, columns=COLUMNS).assign(**{DIGEST: [f"digest of {row[0]}" for row in rows]})
    table.index += 10  # rows of a manifest that begins with other parts
    models = {
        name: np.random.default_rng(seed).random((len(rows), 4)) for seed, name in enumerate(["baseline", "control"])
    }
    return evaluate(models, table, PROTOCOLS["street2shop"], aligned=["hats"], resamples=5)


def test_a_row_for_each_model_and_query(evaluation, tmp_path):
    table = by_query(evaluation)
    for name in ("a", "b"):
        write_parquet(tmp_path / name, table)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    read = pd.read_parquet(tmp_path / "a")
    metrics = list(PROTOCOLS["street2shop"].metrics)
    assert list(read) == ["model", "query", "digest", "group", "label", "aligned", *metrics]
    assert set(read[metrics].dtypes) == {np.dtype("float32")}
    of_control = read[read["model"] == "control"].reset_index(drop=True)
    assert of_control["query"].tolist() == [10, 11, 13, 14, 16, 17, 19, 20]
    assert of_control["digest"][2] == "digest of bags/y0.png"
    assert of_control["label"].tolist() == list("xxyyxxzz")
    assert of_control["aligned"].tolist() == [False] * 4 + [True] * 4
    np.testing.assert_allclose(of_control["map"], evaluation.results["control"].values["map"], rtol=1e-6)


def test_what_is_read_has_the_means_of_the_evaluation(evaluation, tmp_path):
    write_parquet(tmp_path / "queries.parquet", by_query(evaluation))
    content = BytesIO((tmp_path / "queries.parquet").read_bytes())
    for scope, categories in (("all", ["bags", "hats"]), ("aligned", ["hats"])):
        found = read_by_query(content, "map", scope)
        assert list(found.values) == ["baseline", "control"]
        assert found.queries["group"].unique().tolist() == categories
        for model, values in found.values.items():
            mean = pd.Series(values).groupby(found.queries["group"]).mean().mean()
            assert mean == pytest.approx(evaluation.summaries()[model][scope]["map"])


def test_a_figure_of_all_pictures_is_of_no_query(evaluation, tmp_path):
    write_parquet(tmp_path / "queries.parquet", by_query(evaluation))
    assert read_by_query(tmp_path / "queries.parquet", "nmi", "all") is None
