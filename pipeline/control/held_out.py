"""Items of the source in the place of a new shop: held out in turn, searched by their own consumer pictures.

What is chosen by these figures is chosen without a label, or a query, of the target.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.base.names import Domain
from pipeline.base.progress import progress
from pipeline.control.whitened import Whitening, fit_whitening
from pipeline.features.views import Views, places_of
from pipeline.models.head import Head
from pipeline.table.domains import CODES
from pipeline.views.mix import Mix

MOST_ITEMS = 1000  # that are measured


@dataclass(frozen=True)
class HeadSetting:
    """A head in closed form: `shrinkage` of the whitening, or None without one; `root`: of signed roots.

    With neither it is the head that fine-tuning gave. That has seen the items that are held out here, so that the
    features as they are stand for it in every measure.
    """

    root: bool
    shrinkage: float | None

    @property
    def name(self) -> str:
        """In words."""
        if self.shrinkage is None:
            return "root" if self.root else "as fine-tuned"
        return f"whitened{', root' if self.root else ''}, shrinkage {self.shrinkage:g}"


AS_FINE_TUNED = HeadSetting(root=False, shrinkage=None)


@dataclass(frozen=True)
class Source:
    """The labelled pictures: pooled features (N, P), domain (N,) and item (N,) int64 codes, row (N,) of the manifest.

    start: the fine-tuned head; views: of some of its shop pictures, if there are any; width: as in `fit_whitening`.
    """

    pooled: np.ndarray
    domain: np.ndarray
    item: np.ndarray
    row: np.ndarray
    start: Head
    views: Views | None
    width: int

    @property
    def viewed(self) -> bool:
        """Whether there are views."""
        return self.views is not None and len(self.views) > 0

    def fit(self, setting: HeadSetting) -> Head:
        """The head of that setting, estimated on all pictures. Raises NothingToWhiten as `fit_whitening` does."""
        if setting == AS_FINE_TUNED:
            return self.start
        every = np.arange(len(self.item))
        return self.head(setting, None if setting.shrinkage is None else self.estimate(setting.root, every))

    def head(self, setting: HeadSetting, whitening: Whitening | None) -> Head:
        """As it is measured: whitened by that estimate, or the features, or their roots, as they are."""
        if setting.shrinkage is not None:
            return whitening.head(setting.shrinkage)
        return Head.identity(self.pooled.shape[1], norm_features=False, root=setting.root)

    def estimate(self, root: bool, rows: np.ndarray) -> Whitening:
        """The estimate on the pictures at positions `rows` (n,)."""
        return fit_whitening(self.pooled[rows], self.domain[rows], self.item[rows], root=root, width=self.width)


@dataclass(frozen=True)
class _Fold:
    """Positions of pictures (n,) int64: the consumer and shop pictures of held-out items, and the others."""

    queries: np.ndarray
    gallery: np.ndarray
    others: np.ndarray


class HeldOut:
    """The items of a source in `folds` parts, each of which is searched by what the others were enough to estimate.

    Where there are views, the items that have them are measured; else all that have pictures of both domains.
    """

    def __init__(self, source: Source, folds: int, seed: int, block_rows: int) -> None:
        self.source, self.block_rows = source, block_rows
        shop = source.domain == CODES[Domain.SHOP]
        shown = np.isin(source.row, source.views.row) if source.viewed else shop
        items = np.random.default_rng(seed).permutation(np.intersect1d(source.item[shown & shop], source.item[~shop]))
        items = items[:MOST_ITEMS]
        self.items = len(items)
        self._folds = [
            _Fold(np.flatnonzero(held & ~shop), np.flatnonzero(held & shown & shop), np.flatnonzero(~held))
            for part in range(min(folds, len(items)))
            for held in [np.isin(source.item, items[part::folds])]
        ]
        self._whitenings: dict[tuple[int, bool], Whitening] = {}
        self._heads: dict[HeadSetting, list[Head]] = {}

    @property
    def kinds(self) -> dict[str, int]:
        """Kinds of views that there are, and the number of each."""
        return dict(self.source.views.numbers) if self.source.viewed else {}

    def score(self, setting: HeadSetting) -> np.ndarray:
        """Mean AP of the queries of each held-out item (I,), which search the gallery of their fold.

        Raises NothingToWhiten where a fold leaves no pair to estimate from.
        """
        sides = [self._sides(fold, head) for fold, head in zip(self._folds, self._fit(setting), strict=True)]
        scored = [self._precision(fold, *each) for fold, each in zip(self._folds, sides, strict=True)]
        return np.concatenate(scored)

    def score_mixes(self, setting: HeadSetting, mixes: Sequence[Mix]) -> list[np.ndarray]:
        """As `score`, with the gallery by way of its views, for each of `mixes`."""
        if not mixes:
            return []
        scored: list[list[np.ndarray]] = [[] for _ in mixes]
        fitted = list(zip(self._folds, self._fit(setting), strict=True))
        for fold, head in progress(fitted, what="choose views", unit="fold"):
            queries, gallery = self._sides(fold, head)
            place = places_of(self.source.row[fold.gallery], self.source.views.row)
            views = {kind: self._views(head, kind, place) for kind in self.kinds}
            for each, mix in zip(scored, mixes, strict=True):
                total = sum(views[kind][:, :count].sum(axis=1) for kind, count in mix.counts.items())
                blended = mix.blend(gallery, total / sum(mix.counts.values()))
                each.append(self._precision(fold, queries, blended))
        return [np.concatenate(each) for each in scored]

    def _sides(self, fold: _Fold, head: Head) -> list[np.ndarray]:
        pooled, domain = self.source.pooled, self.source.domain
        return [head.embed(pooled[rows], domain[rows], self.block_rows) for rows in (fold.queries, fold.gallery)]

    def _views(self, head: Head, kind: str, place: np.ndarray) -> np.ndarray:
        """Embeddings (n, K, D) of the views of a kind, of the pictures at these places of the file."""
        made = self.source.views.embeddings(head, kind, self.kinds[kind], self.block_rows, among=place)
        return np.concatenate([rows for _, rows in made])[np.argsort(np.argsort(place))]

    def _precision(self, fold: _Fold, queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        precision, item = average_precision(queries @ gallery.T, self._relevant(fold)), self.source.item[fold.queries]
        codes = np.unique(item, return_inverse=True)[1]
        return np.bincount(codes, weights=precision) / np.bincount(codes)

    def _relevant(self, fold: _Fold) -> np.ndarray:
        item = self.source.item
        return item[fold.queries][:, None] == item[fold.gallery]

    def _fit(self, setting: HeadSetting) -> list[Head]:
        """The heads of that setting, a fold each, estimated on the items that the fold does not hold."""
        if setting not in self._heads:
            self._heads[setting] = [
                self.source.head(setting, self._whitening(n, setting)) for n in range(len(self._folds))
            ]
        return self._heads[setting]

    def _whitening(self, fold: int, setting: HeadSetting) -> Whitening | None:
        if setting.shrinkage is None:
            return None
        key = (fold, setting.root)
        if key not in self._whitenings:
            self._whitenings[key] = self.source.estimate(setting.root, self._folds[fold].others)
        return self._whitenings[key]


def average_precision(similarities: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """AP (Q,) of queries from their similarities (Q, G) to a gallery, and which (Q, G) bool of it are relevant.

    The first of equals ranks first. Every query has a relevant picture.
    """
    order = np.argsort(-similarities, axis=1, kind="stable")
    hits = np.take_along_axis(relevant, order, axis=1)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return (precision * hits).sum(axis=1) / hits.sum(axis=1)
