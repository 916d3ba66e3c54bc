"""Read as all sets of attribute-specific retrieval are."""

from pipeline.datasets._shared.attribute_lists import Params, fetch, read_attributes, read_table

__all__ = ["Params", "fetch", "read_attributes", "read_table"]
