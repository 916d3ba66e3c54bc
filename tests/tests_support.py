"""Helpers of the tests."""

from pathlib import Path
from typing import Any

from pipeline.params.base import load_params

PROJECT = Path(__file__).resolve().parent.parent


def default_params() -> dict[str, Any]:
    """The committed params.yaml, a fresh copy."""
    return load_params(PROJECT / "params.yaml")
