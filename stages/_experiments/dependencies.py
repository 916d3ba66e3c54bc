"""What a run of the chain depends on: commands, params and files that dvc.yaml names, with the params of the run."""

import os
import re
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from pipeline.base.errors import UserError
from pipeline.experiments.changes import MISSING, look_up
from pipeline.params.base import Section, load_params, parse_section

DVC_FILE = Path("dvc.yaml")
PACKAGES = "requirements.lock"  # what all stages run in
TEMPLATE = re.compile(r"\$\{([^{}]+)\}")


class StageEntry(Section):
    """A stage of dvc.yaml, of what DVC allows there as much as this project uses."""

    cmd: str
    params: Annotated[list[str], Field(default_factory=list)]
    deps: Annotated[list[str], Field(default_factory=list)]
    matrix: Annotated[dict[str, list[Any]], Field(default_factory=dict)]
    desc: Any = None  # what follows says where results go, and changes none
    outs: Any = None
    metrics: Any = None
    plots: Any = None


class Dependencies(NamedTuple):
    """Of all stages: [command, name of a param -> its value] of each, and the paths of files and folders."""

    stages: list[tuple[str, dict[str, Any]]]
    paths: frozenset[str]

    def state(self, tracked: Mapping[str, str]) -> list[Any]:
        """All that stands for them, as plain lists and mappings; `tracked`: file -> what stands for its content.

        Of what Git does not track the path counts alone.
        """
        return [self.stages, sorted(self.paths), {file: tracked[file] for file in files_at(self.paths, tracked)}]


def read_stages(path: Path = DVC_FILE) -> list[StageEntry]:
    """The stages in dvc.yaml. Raises UserError for what is wrong there, or not known here."""
    stages = load_params(path).get("stages")
    if not isinstance(stages, dict):
        raise UserError(f"{path}: stages: expected a mapping of stages, found {stages!r}")
    return [parse_section(entry, f"{path}: stages.{name}", StageEntry) for name, entry in stages.items()]


def dependencies(stages: Iterable[StageEntry], params: Mapping[str, Any]) -> Dependencies:
    """Those of a run with these params. Raises UserError for a name in dvc.yaml that `params` does not have."""
    commands, paths = [], {PACKAGES}
    for stage in stages:
        for values in product(*stage.matrix.values()):
            known = dict(params) | {"item": dict(zip(stage.matrix, values, strict=True))}
            names = [_filled(name, known) for name in stage.params]
            commands.append((_filled(stage.cmd, known), {name: _value(params, name) for name in names}))
            paths |= {_filled(path, known) for path in stage.deps}
    return Dependencies(commands, frozenset(paths))


def files_at(paths: Iterable[str], files: Iterable[str]) -> list[str]:
    """Those of `files` that are at or below one of `paths`, or are the .dvc file of it or of a folder that it is in.

    A path outside of the project has none.
    """
    places = {PurePosixPath(os.path.relpath(path or os.curdir)) for path in paths}
    by_dvc = {f"{folder}.dvc" for place in places for folder in _upwards(place)}
    return [file for file in files if file in by_dvc or not places.isdisjoint(_upwards(PurePosixPath(file)))]


def _upwards(path: PurePosixPath) -> list[PurePosixPath]:
    return [path, *path.parents]


def _filled(text: str, params: Mapping[str, Any]) -> str:
    return TEMPLATE.sub(lambda found: str(_value(params, found[1])), text)


def _value(params: Mapping[str, Any], name: str) -> Any:
    value = look_up(params, name)
    if value is MISSING:
        raise UserError(f"{DVC_FILE}: params.yaml has no {name}; add it there, or mend its name")
    return value
