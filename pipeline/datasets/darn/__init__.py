"""DARN, as attribute-specific retrieval has it: nine attributes of clothes."""
