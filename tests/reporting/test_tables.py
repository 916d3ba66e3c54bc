"""The closing table, worked by hand."""

from pipeline.base.names import CMC_RANKS, MAP, MAP_TRAPEZOIDAL, cmc_key
from pipeline.reporting.tables import comparison_table

SHOP = {
    "scopes": {"all": "Mean over all categories", "aligned": "Mean over the aligned categories"},
    "metrics": [MAP_TRAPEZOIDAL, MAP, *map(cmc_key, CMC_RANKS)],
    "headline": [MAP_TRAPEZOIDAL, cmc_key(1), cmc_key(10)],
}


def summary(value: float) -> dict[str, float]:
    return {MAP: value + 0.1, MAP_TRAPEZOIDAL: value, **{cmc_key(k): value + k / 100 for k in CMC_RANKS}}


def test_rows_columns_and_order():
    table = comparison_table({"baseline": {"all": summary(0.2)}, "viewed": {"all": summary(0.25)}}, {}, **SHOP)
    assert table == (
        "**Mean over all categories**\n\n"
        "| model    | mAP (trapezoidal) |    mAP |  CMC@1 |  CMC@5 | CMC@10 | CMC@20 | CMC@50 |\n"
        "| -------- | ----------------: | -----: | -----: | -----: | -----: | -----: | -----: |\n"
        "| baseline |            0.2000 | 0.3000 | 0.2100 | 0.2500 | 0.3000 | 0.4000 | 0.7000 |\n"
        "| viewed   |            0.2500 | 0.3500 | 0.2600 | 0.3000 | 0.3500 | 0.4500 | 0.7500 |\n"
    )


def test_all_categories_precede_the_aligned_ones():
    table = comparison_table({"baseline": {"aligned": summary(0.44), "all": summary(0.2)}}, {}, **SHOP)
    assert table.index("all categories") < table.index("0.2000") < table.index("aligned") < table.index("0.4400")


def test_gains_with_their_interval_follow_their_table():
    gain = {"all": {MAP_TRAPEZOIDAL: {"mean": 0.01, "low": -0.002, "high": 0.03}}}
    table = comparison_table(
        {"control": {"all": summary(0.2), "aligned": summary(0.4)}}, {"viewed - control": gain}, **SHOP
    )
    lines = table.splitlines()
    place = lines.index("| viewed - control     | +0.0100 [-0.0020, +0.0300] |   n/a |    n/a |")
    assert lines[place - 2] == "| gain [95 % interval] |          mAP (trapezoidal) | CMC@1 | CMC@10 |"
    assert lines.index("**Mean over all categories**") < place < lines.index("**Mean over the aligned categories**")


def test_undefined_values_are_marked_not_zero():
    nan = float("nan")
    gain = {"all": {MAP_TRAPEZOIDAL: {"mean": nan, "low": nan, "high": nan}}}
    table = comparison_table({"baseline": {"all": {MAP: nan}}}, {"viewed - control": gain}, **SHOP)
    assert table.count("n/a") == 7 + 3
    assert "nan" not in table


def test_other_metrics_have_their_columns():
    table = comparison_table(
        {"baseline": {"all": {"recall@1": 0.5, "map@r": 0.25, "queries": 3}}},
        {},
        scopes={"all": "Everything"},
        metrics=["recall@1", "map@r"],
        headline=["map@r"],
    )
    assert table == (
        "**Everything**\n\n"
        "| model    | recall@1 |  MAP@R |\n"
        "| -------- | -------: | -----: |\n"
        "| baseline |   0.5000 | 0.2500 |\n"
    )
