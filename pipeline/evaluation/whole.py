"""Figures of all pictures together, which are no means over queries."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.base.names import recall_key
from pipeline.evaluation import published
from pipeline.evaluation.clusters import cluster_agreement
from pipeline.evaluation.spread import item_distances, spectral_decay
from pipeline.retrieval.search import Found, Side, one_group, own_places, search
from pipeline.retrieval.ties import hits_within

DML_RANKS = (1, 2, 4, 8, 10, 100, 1000)
# Places that the published In-shop figures look at: DADA's, and deep-fashion-retrieval's.
INSHOP_PLACES, ITEM_PLACES = 50, 10
MMP_PLACES = 5
MMP_KEY = f"mmp@{MMP_PLACES}"


@dataclass(frozen=True)
class Figures:
    """Figures computed together: `of(found, queries, gallery)` gives those called `names`, or some of them."""

    names: tuple[str, ...]
    of: Callable[[Found, Side, Side], dict[str, float]]


def _clusters_and_spread(_: Found, queries: Side, gallery: Side) -> dict[str, float]:
    everything = _all_pictures(queries, gallery)
    embeddings, items = everything.embeddings.cpu().numpy(), everything.labels
    decay = {"spectral_decay": spectral_decay(embeddings)}
    return cluster_agreement(embeddings, items) | item_distances(embeddings, items) | decay


def _published_dml(found: Found, queries: Side, gallery: Side) -> dict[str, float]:
    if queries.rows is None or not np.array_equal(queries.rows, gallery.rows):
        return {}
    missed = int(found.dropped.sum())
    recalls = published.recall_at(found.ranks, missed, DML_RANKS)
    return {
        **{f"{recall_key(k)}_published": recall for k, recall in recalls.items()},
        "map@r_published": published.map_at_class_size(found.ranks, missed),
        "map@1000_published": published.map_at(found.ranks, missed, 1000),
    }


def _published_inshop(found: Found, queries: Side, gallery: Side) -> dict[str, float]:
    missed = int(found.dropped.sum())
    everything = _all_pictures(queries, gallery)
    order = np.random.default_rng(0).permutation(len(everything))
    picked = order[np.unique(everything.labels[order], return_index=True)[1]]
    by_item = search(everything.take(picked), everything)
    return {
        f"map@{INSHOP_PLACES}_published": published.map_of_found(found.ranks, missed, INSHOP_PLACES),
        **published.item_hits(by_item.ranks, int(by_item.dropped.sum()), ITEM_PLACES),
    }


def _all_pictures(queries: Side, gallery: Side) -> Side:
    """The pictures of the gallery, and those queries that are not in it, as one group."""
    new = np.ones(len(queries), bool) if queries.rows is None else ~np.isin(queries.rows, gallery.rows)
    labels = np.concatenate([gallery.labels, queries.labels[new]])
    embeddings = torch.cat([gallery.embeddings, queries.embeddings[torch.from_numpy(new)]])
    return Side(embeddings, labels, one_group(len(labels)), np.arange(len(labels)))


def _mmp_ties(found: Found, queries: Side, gallery: Side) -> dict[str, float]:
    if len(found.groups) > 1:
        return {}
    own, asked = own_places(queries, gallery, found.query, np.arange(len(gallery))), queries.take(found.query)
    places, *bounds = hits_within(
        asked.embeddings, gallery.embeddings, asked.labels, gallery.labels, MMP_PLACES, own=own
    )
    return {name: float((hits / places).mean()) for name, hits in zip(MMP_TIES.names, bounds, strict=True)}


CLUSTERS_AND_SPREAD = Figures(
    ("nmi", "f1", "intra_distance", "inter_distance", "intra_over_inter", "spectral_decay"), _clusters_and_spread
)
# Of everything as one group, by cosine: what mMP@5 would be with equal similarities in the worst order, and the best.
MMP_TIES = Figures((f"{MMP_KEY}_ties_worst", f"{MMP_KEY}_ties_best"), _mmp_ties)
# None where queries search another gallery.
PUBLISHED_DML = Figures(
    (*(f"{recall_key(k)}_published" for k in DML_RANKS), "map@r_published", "map@1000_published"), _published_dml
)
# The counts of deep-fashion-retrieval are of one picture an item (drawn, always the same), among all pictures.
PUBLISHED_INSHOP = Figures(
    (f"map@{INSHOP_PLACES}_published", *published.item_hit_names(ITEM_PLACES)), _published_inshop
)
