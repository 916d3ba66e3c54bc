"""What the public retrieval benchmarks have in common: pictures of one kind, and classes for training or for testing.

Most know no consumer photos: every picture has the domain `shop` then. CUB-200-2011, CARS196 and Stanford Online
Products search the test pictures by themselves, which is the split `test`.
"""

from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator

from pipeline.base.errors import UserError
from pipeline.base.names import BOX, CATEGORY, DOMAIN, IMAGE, ITEM, META_DOMAIN, SPLIT, SUBCATEGORY, Domain, Split
from pipeline.base.params import Section
from pipeline.datasets._shared.fetching import ArchiveParams
from pipeline.datasets._shared.paths import inside


def _relative(folder: str) -> str:
    try:
        return inside(folder, "folder")
    except UserError:
        raise ValueError("should be a relative path without '..'") from None


Folder = Annotated[str, AfterValidator(_relative)]  # in the set's folder, and in what is fetched


class RetrievalSetParams(Section):
    """Archives to unpack, and the part that the dataset plays."""

    archives: list[ArchiveParams]
    meta_domain: Literal["source", "target"]


def retrieval_table(pictures: pd.DataFrame, meta_domain: str, where: Path) -> pd.DataFrame:
    """`pictures` (columns image, item, category, split; x y w h or none of them) with the columns of the manifest.

    Their columns domain and subcategory are taken over where there are any; without domain all are the shop's.

    Raises UserError naming `where` for a picture whose path leads out of the folder.
    """
    table = pictures[[IMAGE, ITEM, CATEGORY, SPLIT]].reset_index(drop=True)
    table[IMAGE] = [inside(image, f"{where}: picture") for image in table[IMAGE]]
    table[DOMAIN], table[META_DOMAIN] = str(Domain.SHOP), meta_domain
    for column in {DOMAIN, SUBCATEGORY} & set(pictures):
        table[column] = pictures[column].to_numpy()
    table[list(BOX)] = pictures[list(BOX)].to_numpy() if set(BOX) <= set(pictures) else float("nan")
    return table


def split_by_class(classes: pd.Series) -> pd.Series:
    """`train` for pictures of the first half (rounded down) of the sorted `classes`, `test` for those of the others."""
    ordered = sorted(set(classes))
    return classes.isin(ordered[: len(ordered) // 2]).map({True: str(Split.TRAIN), False: str(Split.TEST)})
