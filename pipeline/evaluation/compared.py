"""What a run compares: the rows that search and are searched, and what each of its models makes of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from pipeline.base.names import DOMAIN, ModelName, Part
from pipeline.evaluation.attributes import entries_of, of_entries
from pipeline.features.store import Features
from pipeline.features.views import Views, embed_catalogue, in_catalogue, lacks_views, without_views
from pipeline.models.folder import Adapted
from pipeline.table.domains import domain_codes


class Compared(NamedTuple):
    """table: rows of the manifest; models: name -> embeddings (N, D) of them."""

    table: pd.DataFrame
    models: Mapping[str, np.ndarray]


def compared(
    manifest: pd.DataFrame,
    part: Part,
    features: Features,
    adapted: Mapping[str, Adapted],
    views: Views,
    *,
    known: pd.DataFrame | None,
    device: torch.device,
    block_rows: int,
    say: Callable[[str], None],
) -> Compared:
    """The rows of `part`, by the baseline, whose `features` these are, and by the `adapted` heads.

    Heads that mix in `views` which there are not are left out, and said. `known`: the table of attributes, where the
    rows are entries of it (`pipeline.evaluation.attributes`); None: they are pictures.
    Raises UserError for attributes that features or candidates lack.
    """
    table = manifest.iloc[features.row]
    if lacking := without_views(adapted, views, features.row[in_catalogue(table)]):
        say(lacks_views(views, lacking))
    domain = domain_codes(table[DOMAIN])
    models = {str(ModelName.BASELINE): features.embedding} | {
        name: embed_catalogue(model, features, domain, views, device=device, block_rows=block_rows)
        for name, model in adapted.items()
        if name not in lacking
    }
    if known is None:
        return Compared(table, models)
    entries = entries_of(manifest, known, part, features, say)
    return Compared(entries, of_entries(models, entries, features))
