"""Helpers of the tests."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.base.params import load_params
from pipeline.datasets._shared.face import params_file

PROJECT = Path(__file__).resolve().parents[2]


def committed_params() -> dict[str, Any]:
    """The committed params.yaml, a fresh copy."""
    return load_params(PROJECT / "params.yaml")


def default_params() -> dict[str, Any]:
    """The same for a network that is trained from scratch, as the preset `scratch` has it: most tests train one."""
    params = committed_params()
    params["finetune"]["recipe"] = "triplet"
    for word in shlex.split((PROJECT / "docs/presets/scratch.txt").read_text())[1::2]:
        name, _, value = word.partition("=")
        *sections, key = name.split(".")
        place = params
        for section in sections:
            place = place[section]
        place[key] = YAML(typ="safe").load(value)
    return params


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
