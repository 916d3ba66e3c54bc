"""The model that a run starts from: one of the first branch, whose weights must fit name by name."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from pipeline.base.errors import UserError
from pipeline.models.attributes.network import AttributeNetwork
from pipeline.models.folder import WEIGHTS, read_model
from pipeline.params.finetune import ModelParams
from pipeline.recipes.rpf.params import SECTION

PARAM = f"{SECTION}.init_from"
PICTURES = ("image_size", "mean", "std", "interpolation")
HEAD, SECOND = "head.", "second."  # the head is the identity, as wide as the branches together


@dataclass(frozen=True)
class Start:
    """A model of the first branch: its weights by name and its attributes, in order. `digest` is of its file.

    `model` describes its trunk and pictures, without nulls.
    """

    folder: Path
    model: ModelParams
    weights: Mapping[str, Tensor]
    attributes: tuple[str, ...]
    digest: str

    @classmethod
    def read(cls, folder: Path) -> "Start":
        """What is in `folder`. Raises UserError for none, and for one of another kind or of two branches."""
        kind, settings, weights = read_model(folder, f"name the folder of a model of recipe rpf in {PARAM}")
        if kind != AttributeNetwork.kind:
            raise UserError(f"{PARAM}: {folder}: a model of kind {kind}, not of recipe rpf; name one of that, or null")
        if any(name.startswith(SECOND) for name in weights):
            raise UserError(
                f"{PARAM}: {folder}: a model of two branches; name one of the first alone, as the recipe makes it with "
                f"{SECTION}.network.patch and local null"
            )
        weights = {name: tensor for name, tensor in weights.items() if not name.startswith(HEAD)}
        digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
        attributes = tuple(settings["attributes"])
        model = ModelParams.model_validate({name: settings[name] for name in ModelParams.model_fields})
        return cls(folder, model, weights, attributes, digest)

    def attributes_of(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """Its attributes. Raises UserError unless they are those `known` of the source, in any order."""
        if set(self.attributes) != set(known):
            own, there = ", ".join(self.attributes), ", ".join(known)
            raise UserError(
                f"{PARAM}: {self.folder}: a model of the attributes {own}, where the source has {there}; see data.sets"
            )
        return self.attributes

    def trunk(self, model: ModelParams) -> ModelParams:
        """`model` without the published weights, which this one's replace, and with its pictures in place of nulls."""
        pictures = {name: getattr(model, name) or getattr(self.model, name) for name in PICTURES}
        return model.model_copy(update={"weights": None, **pictures})

    def check(self, network: AttributeNetwork) -> None:
        """Raise UserError for a weight of the first branch of `network` that is missing here, or another one."""
        wanted = {name: one for name, one in network.state_dict().items() if not name.startswith((HEAD, SECOND))}
        for name in dict.fromkeys([*wanted, *self.weights]):
            if (problem := _problem(name, self.weights, wanted)) is not None:
                mend = "set finetune.model and recipes.rpf.network as they were for it"
                raise UserError(f"{PARAM}: {self.folder}: {name} {problem}; {mend}")

    def load_into(self, network: AttributeNetwork) -> None:
        """Put its weights into the first branch of `network`, whose settings tell what these were made from.

        Raises UserError as `check` does.
        """
        self.check(network)
        network.params = network.params.model_copy(update={"weights": self.model.weights})
        network.load_state_dict(self.weights, strict=False)


def _problem(name: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str | None:
    if name not in found:
        return "is missing"
    if name not in wanted:
        return "has no place in the network"
    if found[name].shape != wanted[name].shape:
        return f"is {tuple(found[name].shape)} instead of {tuple(wanted[name].shape)}"
    return None
