"""The second table of a comparison, by hand."""

from pipeline.experiments.groups import group_means, groups_table

CONTENT = {
    ("a", 1): {"baseline": {"neck": {"map": 0.25, "queries": 4}, "sleeve": {"map": None}}},
    ("a", 2): {"baseline": {"neck": {"map": 0.75, "queries": 9}, "trim": {"map": 0.5}}},
    ("b", 1): {"baseline": {"neck": {"map": 1.0}}, "control": {"neck": {"map": 0.5}}},
}


def test_means_are_over_the_seeds_that_have_a_value():
    means = group_means(["b", "a", "unfinished"], CONTENT, "map")
    assert means == {
        ("b", "baseline"): {"neck": 1.0},
        ("b", "control"): {"neck": 0.5},
        ("a", "baseline"): {"neck": 0.5, "trim": 0.5},
    }
    assert groups_table(means, "map").splitlines() == [
        "**mAP by category**",
        "",
        "| setting |    model |   neck |   trim |",
        "| ------- | -------: | -----: | -----: |",
        "| b       | baseline | 1.0000 |    n/a |",
        "| b       |  control | 0.5000 |    n/a |",
        "| a       | baseline | 0.5000 | 0.5000 |",
        "",
        "Mean over seeds.",
    ]
