"""What tests of the index, the search and the catalogue share."""

import json

import pandas as pd

from support.chain import Chain

GALLERY = 34  # shop pictures of the tiny world's test part


def manifest(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.folder / "data/manifest.parquet")


def photo(chain: Chain, split: str = "query", place: int = 0):
    rows = manifest(chain).query("meta_domain == 'target' and split == @split")
    return rows.index[place], chain.folder / "data/raw" / rows.image.iloc[place]


def found(chain: Chain, *options: str) -> list[dict]:
    done = chain.run("search", *options, "--json", "--device", "cpu")
    assert done.code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows_of(answer) -> list[int]:
    hits = answer["hits"] if isinstance(answer, dict) else answer.hits
    return [hit["row"] if isinstance(hit, dict) else hit.row for hit in hits]
