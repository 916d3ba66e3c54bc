"""Helpers of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.base.params import load_params
from pipeline.datasets._shared.face import params_file

PROJECT = Path(__file__).resolve().parents[2]


def default_params() -> dict[str, Any]:
    """The committed params.yaml, a fresh copy."""
    return load_params(PROJECT / "params.yaml")


def set_params(name: str) -> dict[str, Any]:
    """The committed params of a dataset, a fresh copy."""
    return load_params(PROJECT / params_file(name))


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process and those it starts grow beyond `size` bytes: writing fails as on a full disk."""
    resource = pytest.importorskip("resource", reason="this system has no limits on file sizes")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
