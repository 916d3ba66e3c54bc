"""Section `extract`."""

from pipeline.params.base import Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised, beside their lengths, so that nothing else changes."""

    normalize_pooled: bool
