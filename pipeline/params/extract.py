"""Section `extract`."""

from pipeline.base.params import Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised, beside their lengths, so that nothing else changes."""

    normalize_pooled: bool
