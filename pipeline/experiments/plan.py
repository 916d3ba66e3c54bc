"""What a comparison is: a YAML file with seeds and settings, and the runs that follow from it."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from pipeline.base.errors import UserError
from pipeline.base.names import MAP_TRAPEZOIDAL
from pipeline.base.params import AsTuple, Section, load_params, parse_section
from pipeline.experiments.changes import Params, read_changes

NAME = "^[A-Za-z0-9_][A-Za-z0-9_-]*$"  # of names that make up names of experiments, which are Git references
DIGEST_LENGTH = 8
SEED = "seed"

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Comparison(Section):
    """The content of the file. `common` and each setting: params that differ from those on disk, full name: value.

    `by_category`: whether there is a second table, of the metric in each group of categories.json.
    """

    seeds: Annotated[tuple[Seed, ...], AsTuple, Field(min_length=1)]
    metric: str = MAP_TRAPEZOIDAL
    scope: Literal["all", "aligned"] = "all"
    by_category: bool = False
    common: Annotated[dict[str, Any], Field(default_factory=dict)]
    settings: Annotated[dict[Annotated[str, Field(pattern=NAME)], dict[str, Any]], Field(min_length=1)]

    @field_validator("seeds")
    @classmethod
    def _differ(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("should differ from one another")
        return seeds


@dataclass(frozen=True)
class PlannedRun:
    """A setting with a seed; `changes`: full name of a param -> value, seed included; `reads`: what it depends on."""

    name: str
    setting: str
    seed: int
    changes: dict[str, Any]
    reads: Any


def read_comparison(path: Path) -> Comparison:
    """The file as a comparison, which is called like the file. Raises UserError for whatever is wrong with it."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; docs/comparisons/recipes.yaml is an example")
    if not re.match(NAME, path.stem):
        raise UserError(
            f"{path}: the runs are called after the file, whose name should have letters, digits, _ and - only"
        )
    return parse_section(load_params(path), path.stem, Comparison)


def setting_changes(comparison: Comparison, params: Params) -> dict[str, dict[str, Any]]:
    """Setting -> full name of a param -> value; a setting's own values win over the common ones.

    Raises UserError for a param that its file does not have.
    """
    common = read_changes(comparison.common, params, "common")
    made = {
        name: common | read_changes(values, params, f"settings.{name}") for name, values in comparison.settings.items()
    }
    for name, changes in made.items():
        if SEED in changes:
            raise UserError(f"settings.{name}: {SEED} is not for a setting to choose; list it under seeds")
        for key in changes:
            whole = next((other for other in changes if key.startswith(f"{other}.")), None)
            if whole:
                raise UserError(f"settings.{name}: {whole} is set as a whole, and {key} besides; set one of them")
    return made


def plan_runs(
    comparison: Comparison, name: str, params: Params, dependencies: Callable[[Params], Any]
) -> list[PlannedRun]:
    """All runs, settings of one seed together, so that every setting has its first result early.

    A run is called <name>-<setting>-<seed>-<digest>; the digest is of `dependencies`(params of the run): mappings,
    lists and plain values that stand for all that the run depends on.
    """
    settings = setting_changes(comparison, params)
    runs = []
    for seed in comparison.seeds:
        for setting, changes in settings.items():
            seeded = {SEED: seed} | changes
            reads = dependencies(params.changed(seeded))
            runs.append(PlannedRun(f"{name}-{setting}-{seed}-{_digest(reads)}", setting, seed, seeded, reads))
    return runs


def _digest(content: Any) -> str:
    text = json.dumps(_with_plain_keys(content), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _with_plain_keys(content: Any) -> Any:
    # Keys of YAML may be of several kinds, which cannot be sorted.
    match content:
        case Mapping():
            return {repr(key): _with_plain_keys(value) for key, value in content.items()}
        case list() | tuple():
            return [_with_plain_keys(value) for value in content]
    return content
