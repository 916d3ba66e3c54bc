"""A small table, and its manifest."""

from pipeline.table.finish import finish_manifest
from pipeline.table.manifest import check_table

COLUMNS = ["image", "item", "category", "domain", "meta_domain", "split"]
ROWS = [
    ("s/0.png", "s0", "skirt", "shop", "source", "train"),
    ("s/1.png", "s0", "skirt", "consumer", "source", "train"),
    ("s/2.png", "s1", "lace dress", "consumer", "source", "val"),
    ("t/0.png", "t0", "skirts", "shop", "target", "gallery"),
    ("t/1.png", "t0", "skirts", "consumer", "target", "query"),
    ("t/2.png", "t1", "skirts", "shop", "target", "train"),
    ("t/3.png", "t0", "skirts", "shop", "target", "gallery"),
]


def finish(table, root, **changes):
    options = {"min_side": 4, "max_unreadable": 0.0, "workers": 1} | changes
    return finish_manifest(check_table(table, "d"), root, **options)
