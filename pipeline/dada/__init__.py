"""Proxies and samples as two domains, their mixture as a third: the criterion of the recipe `dada`, and its batches."""
