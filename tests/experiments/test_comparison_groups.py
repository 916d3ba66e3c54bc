"""The second table of a comparison, by hand."""

from pipeline.experiments.groups import Groups, groups_table

CONTENT = {
    ("a", 1): {"baseline": {"neck": {"map": 0.25, "queries": 4}, "sleeve": {"map": None, "queries": 0}}},
    ("a", 2): {"baseline": {"neck": {"map": 0.75, "queries": 9}, "trim": {"map": 0.5, "queries": 2}}},
    ("b", 1): {"baseline": {"neck": {"map": 1.0, "queries": 4}}, "control": {"neck": {"map": 0.5, "queries": 4}}},
}


def test_means_are_over_the_seeds_that_have_a_value():
    assert groups_table(["b", "a", "unfinished"], Groups("attribute", CONTENT), "map").splitlines() == [
        "**mAP by attribute**",
        "",
        "| attribute | b baseline | b control | a baseline | queries |",
        "| --------- | ---------: | --------: | ---------: | ------: |",
        "| neck      |     1.0000 |    0.5000 |     0.5000 |       9 |",
        "| trim      |        n/a |       n/a |     0.5000 |       2 |",
        "",
        "Mean over seeds.",
    ]
