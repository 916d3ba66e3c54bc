"""Columns of the table dataset that tell attributes."""

import pytest
from support.table_dataset import DEFAULTS

from pipeline.base.errors import UserError
from pipeline.table.attributes import check_attributes
from pipeline.table.manifest import check_table

CLOTHES = """picture,item,category,domain,meta_domain,split,neck, fit,value
a.jpg,1,dress,shop,source,train,v,slim| wide ,7
b.jpg,1,dress,shop,source,train,,,
c.jpg,2,hat,shop,source,train,,wide,
d.jpg,2,coat,shop,source,train,round,wide,8
"""
CLOTHED = DEFAULTS | {"rename": {"picture": "image", " fit": "fit"}, "attributes": ["neck", "fit", "category", "value"]}


def test_attributes(tmp_path, dataset):
    (tmp_path / "manifest.csv").write_text(CLOTHES)
    module, params = dataset("table", **CLOTHED | {"where": {"category": ["dress", "coat"]}})
    table = check_table(module.read_table(tmp_path, params), "table")
    told = check_attributes(module.read_attributes(tmp_path, params, table), table, "table")
    assert told.drop(columns="split").to_numpy().tolist() == [
        [0, "neck", "v"],
        [0, "fit", "slim"],
        [0, "fit", "wide"],
        [0, "category", "dress"],
        [0, "value", "7"],
        [1, "category", "dress"],
        [2, "neck", "round"],
        [2, "fit", "wide"],
        [2, "category", "coat"],
        [2, "value", "8"],
    ]
    module, params = dataset("table", **CLOTHED | {"attributes": []})
    assert check_attributes(module.read_attributes(tmp_path, params, table), table, "table").empty


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("slim||wide", r"fit of a.jpg: 'slim\|\|wide' has an empty value"),
        ("slim|", "has an empty value"),
        ("slim|wide|slim ", r"has a value twice \('slim'\)"),
    ],
)
def test_strange_fields_of_attributes(tmp_path, dataset, field, says):
    (tmp_path / "manifest.csv").write_text(CLOTHES.replace("slim| wide ", field))
    module, params = dataset("table", **CLOTHED)
    table = module.read_table(tmp_path, params)
    with pytest.raises(UserError, match=says) as caught:
        module.read_attributes(tmp_path, params, table)
    assert "\n" not in str(caught.value)


def test_the_real_photos_by_category(wardrobe, dataset):
    module, params = dataset("table", **DEFAULTS | {"attributes": ["category"]})
    table = check_table(module.read_table(wardrobe, params), "table")
    told = check_attributes(module.read_attributes(wardrobe, params, table), table, "table")
    assert told["value"].tolist() == table["category"].tolist()
    assert told["split"].tolist() == table["split"].tolist()
