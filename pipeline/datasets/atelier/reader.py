"""The built-in world: garments drawn on the spot, two shops in two styles. Nothing to download."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, field_validator

from pipeline.base.errors import UserError
from pipeline.base.names import IMAGE, ROW
from pipeline.base.params import Section, Size

Items = Annotated[int, Field(ge=1, le=100_000)]  # item names have five digits


class Params(Section):
    """Items of each part, pictures an item as [fewest, most], and the side of a picture in pixels."""

    source_items: Items
    source_shop_images: Size
    source_consumer_images: Size
    target_train_items: Items
    target_train_images: Size
    target_test_items: Items
    target_queries: Size
    target_gallery: Size
    image_size: Annotated[int, Field(ge=32, le=512)]

    @field_validator(
        "source_shop_images", "source_consumer_images", "target_train_images", "target_queries", "target_gallery"
    )
    @classmethod
    def _ordered(cls, counts: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= counts[0] <= counts[1] <= 99:
            raise ValueError("should be [fewest, most] with 1 <= fewest <= most <= 99")
        return counts


def fetch(source: Path, out: Path, params: Params, *, seed: int, downloads: Path) -> None:  # noqa: ARG001  as every set
    """Draw the world into `out`: `images/`, `manifest.csv` and `attributes.csv`. Nothing is read or fetched."""
    from pipeline.datasets.atelier.world import Sizes, generate

    generate(out, Sizes(**params.model_dump()), seed)


def read_table(root: Path, params: Params) -> pd.DataFrame:  # noqa: ARG001  as every set
    """The manifest that `fetch` wrote, every column text."""
    return _read(root / "manifest.csv")


def read_attributes(root: Path, params: Params, table: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG001  as every set
    """What `fetch` told of its pictures: sleeve, neck, pattern, trim and length, of what has them and shows them."""
    told = _read(root / "attributes.csv")
    places = pd.Series(table.index, index=table[IMAGE])
    return told.assign(**{ROW: places.reindex(told[IMAGE]).to_numpy()})


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the download stage again") from None
