"""Which source items are trained on, and which are held out for validation."""

import numpy as np
import pandas as pd

from pipeline.base.errors import UserError
from pipeline.base.names import META_DOMAIN, SPLIT, MetaDomain, Split
from pipeline.table.products import product_codes


def split_source(table: pd.DataFrame, val_share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and validation rows of the source meta-domain; no other row is looked at.

    The dataset's own val split is used where it has one; else `val_share` of the items (at least one) is held out.
    Raises UserError when there is nothing to train on, or nothing is left.
    """
    source = table[table[META_DOMAIN] == MetaDomain.SOURCE]
    train, val = source[source[SPLIT] == Split.TRAIN], source[source[SPLIT] == Split.VAL]
    if train.empty:
        raise UserError("finetune: the manifest has no source/train pictures to learn from; see data.sets")
    if val.empty and val_share > 0:
        codes = product_codes(train)
        n_items = int(codes.max()) + 1
        order = np.random.default_rng([seed, n_items]).permutation(n_items)
        is_val = np.isin(codes, order[: max(1, round(val_share * n_items))])
        train, val = train[~is_val], train[is_val]
        if train.empty:
            raise UserError(
                f"finetune.val_share: {val_share} holds out all {n_items} source items, none are left to train on; "
                "lower it, or set 0"
            )
    return train, val
