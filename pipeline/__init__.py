"""Crosswear's library: cross-domain fashion retrieval without click, DVC or params files at import."""
