"""How well held-out pictures find those that share a value of an attribute."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import Subset

from pipeline.arrays.blocks import rows_per_block, slices
from pipeline.arrays.precision import average_precisions
from pipeline.base.names import ATTRIBUTE, SPLIT, VALIDATION_MAP, VALUE, Split
from pipeline.images.loading import Pictures, load_batches, to_device
from pipeline.images.transforms import inference_transform
from pipeline.models.attributes.network import AttributeNetwork
from pipeline.training.processes import gather_lists, share_of

LISTS = (Split.QUERY, Split.GALLERY)
TABLES = 8  # as many of the size of a block are held at once, or nearly, for its average precisions


class Search(NamedTuple):
    """The queries of one attribute and what they search: places of pictures, and codes of values, (Q,) and (G,) int64.

    itself: they search one another, but for the picture of the query.
    """

    queries: np.ndarray
    gallery: np.ndarray
    wanted: np.ndarray
    shown: np.ndarray
    itself: bool

    @property
    def finds(self) -> bool:
        """Whether there is something relevant to any query."""
        if self.itself:
            return len(np.unique(self.shown)) < len(self.shown)
        return bool(np.isin(self.wanted, self.shown).any())

    def precisions(self, embeddings: Tensor) -> Tensor:
        """Average precision (Q,) float64 of each query by the cosine of rows (N, D) of unit length of all pictures."""
        queries, gallery, wanted, shown = (torch.from_numpy(codes).to(embeddings.device) for codes in self[:4])
        searched = embeddings[gallery].T
        made = []
        for block in slices(len(queries), rows_per_block(TABLES * len(gallery))):
            own = queries[block, None] == gallery if self.itself else None
            relevant = wanted[block, None] == shown
            made.append(average_precisions(embeddings[queries[block]] @ searched, relevant, own))
        return torch.cat(made)


class AttributeMap:
    """Callable: network -> {VALIDATION_MAP: mean average precision over all queries}, and that of each of two branches.

    A query is a picture with a value of an attribute. It searches the pictures of which a value of that attribute is
    known, and those of its own value are relevant; without any, its precision is 0. `entries` are rows of the manifest
    with attribute, value and split, the index says which picture a row is of. Where some of an attribute are named
    `query` or `gallery` those search these; else every one searches all others, but for those of its own picture.
    Attributes that the network is not told are left out. Pictures are as in extraction, without random changes. Several
    processes embed a share of them each, and come to the same figure. `first` is the first epoch that may be the best.
    """

    watched = VALIDATION_MAP
    needs = "held-out pictures that share a value of an attribute"

    def __init__(
        self,
        entries: pd.DataFrame,
        raw: Path,
        network: AttributeNetwork,
        fabric: Fabric,
        *,
        batch_size: int,
        workers: int,
        first: int = 0,
    ) -> None:
        self.first = first
        self.fabric, self.batch_size, self.workers = fabric, batch_size, workers
        entries = _searched(entries[entries[ATTRIBUTE].isin(network.attributes)])
        # A picture is embedded once for an attribute, whatever the number of its values.
        asked = pd.MultiIndex.from_arrays([entries.index, entries[ATTRIBUTE]])
        places, shown = pd.factorize(asked)[0], ~asked.duplicated()
        transform, side = inference_transform(network.input), network.input.decoded_side
        self.pictures = Pictures(entries[shown], raw, transform, side, network.conditions(entries[shown]))
        values, splits = pd.factorize(entries[VALUE])[0], entries[SPLIT].to_numpy()
        self.searches = []
        for rows in entries.groupby(ATTRIBUTE).indices.values():
            listed = splits[rows[0]] in LISTS
            queries, gallery = (rows[splits[rows] == split] if listed else rows for split in LISTS)
            if len(queries):
                found = places[queries], places[gallery], values[queries], values[gallery]
                self.searches.append(Search(*found, itself=not listed))

    def __len__(self) -> int:
        """Number of queries; 0 where nothing is relevant to any."""
        finds = any(search.finds for search in self.searches)
        return sum(len(search.queries) for search in self.searches) if finds else 0

    @torch.no_grad()
    def __call__(self, network: AttributeNetwork) -> dict[str, float]:
        """NaN when there is no query."""
        if not self.searches:
            return {VALIDATION_MAP: float("nan")}
        network.eval()
        own = Subset(self.pictures, share_of(self.fabric).places(len(self.pictures)).tolist())
        batches = load_batches(own, self.batch_size, self.workers)
        on = partial(to_device, device=self.fabric.device, memory_format=torch.preserve_format)
        rows = gather_lists([network.pool(on(inputs)).cpu() for inputs in batches], self.fabric)
        parts = [torch.cat(rows)]
        if len(network.branches) > 1:
            parts += parts[0].split(list(network.branches.values()), dim=1)
        names = [VALIDATION_MAP, *(f"{VALIDATION_MAP}_{branch}" for branch in network.branches)]
        return {name: self._mean(F.normalize(part, dim=1)) for name, part in zip(names, parts, strict=False)}

    def _mean(self, embeddings: Tensor) -> float:
        embeddings = embeddings.to(self.fabric.device)
        return torch.cat([search.precisions(embeddings) for search in self.searches]).mean().item()


def _searched(entries: pd.DataFrame) -> pd.DataFrame:
    """Those that lists name, of an attribute that has some; else all of it."""
    named = entries[SPLIT].isin(LISTS)
    listed = named.groupby(entries[ATTRIBUTE].to_numpy()).transform("any")
    return entries[named | ~listed]
