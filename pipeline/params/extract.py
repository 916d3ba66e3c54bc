"""Section `extract`."""

from pipeline.params.base import Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised (the choice is kept with the features)."""

    normalize_pooled: bool
