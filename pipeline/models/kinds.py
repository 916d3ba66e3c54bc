"""Networks of any kind: written, and built again by the function that their kind names."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pipeline.base.errors import UserError
from pipeline.models.attributes.build import restore_attribute_network
from pipeline.models.attributes.network import AttributeNetwork
from pipeline.models.embedder import Embedder, restore_embedder
from pipeline.models.folder import RETRAIN, check_width, damaged_model, load_head, read_model, write_model
from pipeline.models.head import Head
from pipeline.models.network import Network

# What `model.json` calls a network, and the function that builds it again from its settings, with random weights: its
# own are loaded into it afterwards. A recipe with a network of its own shape adds a line here.
KINDS: dict[str, Callable[[Mapping[str, Any]], Network]] = {
    Embedder.kind: restore_embedder,
    AttributeNetwork.kind: restore_attribute_network,
}


def save_embedder(folder: Path, model: Network, weights: Mapping[str, Tensor] | None = None) -> None:
    """Write a network of any kind into `folder`, with its own weights or with these."""
    write_model(folder, model.kind, model.settings, model.state_dict() if weights is None else weights)


def load_embedder(backbone: Path, head: Path | None = None) -> Network:
    """The network in the folder `backbone`, with its own head or that of the folder `head`; in eval mode on the CPU.

    Raises UserError when one of them is missing or damaged, when `backbone` holds a head alone or a network of an
    unknown kind, and when the head is for pooled features of another width.
    """
    kind, settings, weights = read_model(backbone)
    if kind == Head.kind:
        raise UserError(f"{backbone}: a head alone, which embeds features and no pictures; it has no backbone")
    if kind not in KINDS:
        raise UserError(f"{backbone}: a network of the unknown kind {kind!r}; known: {', '.join(KINDS)}; {RETRAIN}")
    try:
        model = KINDS[kind](settings)
        model.load_state_dict(weights)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise damaged_model(backbone, error) from error
    if head is not None:
        width = model.head.shape[1]
        model.head = load_head(head, RETRAIN if head == backbone else "run `dvc repro adapt`")
        check_width(model.head, width, head)
    return model.eval()
