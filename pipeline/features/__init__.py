"""Stored features: written, checked, read."""
