"""The coding of products: pairs in ascending order."""

import numpy as np
import pandas as pd

from pipeline.base.names import CATEGORY, DOMAIN, ITEM
from pipeline.table.products import build_catalogue, code_products, product_codes

TABLE = pd.DataFrame(
    {
        CATEGORY: ["hat", "bag", "hat", "bag", "hat"],
        ITEM: ["2", "2", "10", "2", "2"],
        DOMAIN: ["shop", "shop", "consumer", "consumer", "shop"],
    }
)


def test_codes_are_places_in_ascending_order_of_category_and_item():
    pairs = sorted(set(zip(TABLE[CATEGORY], TABLE[ITEM], strict=True)))
    assert pairs == [("bag", "2"), ("hat", "10"), ("hat", "2")]
    assert product_codes(TABLE).tolist() == [2, 0, 1, 0, 2]
    categories, items, codes = code_products(*(TABLE[name].to_numpy(dtype=str) for name in (CATEGORY, ITEM)))
    assert list(zip(categories, items, strict=True)) == pairs
    assert codes.dtype == np.int64
    assert product_codes(TABLE.iloc[:0]).tolist() == []


def test_codes_are_those_of_pandas_groups():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({CATEGORY: rng.choice(["a", "a b", "é"], 300), ITEM: rng.integers(30, size=300).astype(str)})
    assert product_codes(table).tolist() == table.groupby([CATEGORY, ITEM]).ngroup().tolist()


def test_a_catalogue_finds_its_products_alone():
    catalogue = build_catalogue(*(TABLE[name].to_numpy(dtype=str) for name in (CATEGORY, ITEM, DOMAIN)))
    wanted = [("hat", "2"), ("hat", "3"), ("bag", "2"), ("bag", "10"), ("", "2"), ("hat", "2")]
    found = catalogue.find(*map(np.array, zip(*wanted, strict=True)))
    assert found.tolist() == [2, -1, 0, -1, -1, 2]
    assert catalogue.find(np.array([], dtype=str), np.array([], dtype=str)).tolist() == []
