"""Retrieval metrics, protocols and confidence intervals."""
