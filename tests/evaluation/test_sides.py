"""What a protocol takes for the same item."""

import pandas as pd

from pipeline.evaluation.sides import items_by_name, products


def test_items_of_one_name_are_one_in_a_set_and_differ_between_sets():
    rows = [
        ("inshop", "dress", "id_1"),
        ("inshop", "shirt", "id_1"),
        ("shop", "dress", "id_1"),
        ("shop", "dress", "id_2"),
    ]
    table = pd.DataFrame(rows, columns=["dataset", "category", "item"])
    labels = items_by_name(table).labels
    assert labels[0] == labels[1]
    assert len(set(labels)) == 3
    assert items_by_name(table[2:]).labels.tolist() == labels[2:].tolist(), "a side at a time"
    assert len(set(products(table[:2]).labels)) == 2
