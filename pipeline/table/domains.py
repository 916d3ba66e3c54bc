"""Domains as numbers, as heads with a bias a domain take them."""

from collections.abc import Iterable

import numpy as np

from pipeline.base.names import Domain

CODES = {str(domain): code for code, domain in enumerate(Domain)}


def domain_codes(domains: Iterable[str]) -> np.ndarray:
    """The places (N,) int64 of `domains` in `Domain`. Raises KeyError for what is none."""
    return np.array([CODES[domain] for domain in domains], dtype=np.int64)
