"""The kinds of networks: what `model.json` calls a network, and the function that builds it again from its settings."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.models.network import Network


def _embedder(settings: Mapping[str, Any]) -> Network:
    from pipeline.models.embedder import restore_embedder

    return restore_embedder(settings)


# A recipe with a network of its own adds a line here. The import in the function makes the code of the network one
# that the stages depend on. A network is built with random weights: its own are loaded into it afterwards.
KINDS: dict[str, Callable[[Mapping[str, Any]], Network]] = {"embedder": _embedder}
