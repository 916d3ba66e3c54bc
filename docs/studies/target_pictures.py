"""What the target's unlabelled training pictures could still give, beside views: what docs/adaptation.md reports of it.

    python docs/studies/target_pictures.py NAME=FOLDER ...

FOLDER is a repository in which the chain has run with the frozen trunk and recipe none. Every method starts from the
control of 80 % of the source's items, drawn five times, and is scored against that control on the target's queries.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from pipeline.arrays.rows import unit_rows
from pipeline.base.names import DOMAIN, SPLIT, Domain, Part, Split
from pipeline.clustering.finch import finch
from pipeline.control.whitened import Whitening, fit_whitening, rooted
from pipeline.evaluation.bootstrap import gain_intervals
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.protocols import PROTOCOLS
from pipeline.evaluation.results import RetrievalResult
from pipeline.features.store import open_parts
from pipeline.reporting.markdown import markdown_table
from pipeline.table.domains import CODES, domain_codes
from pipeline.table.manifest import read_manifest
from pipeline.table.products import product_codes

SEEDS, SHARE, SHRINKAGE, WIDTH = range(1, 6), 0.8, 0.3, 384
METRIC = "map_trapezoidal"
SHOP, CONSUMER = CODES[Domain.SHOP], CODES[Domain.CONSUMER]


class Setting(NamedTuple):
    """The whitening of a seed, signed roots along its axes of the source (N, D) and the target (M, D), and labels."""

    whitening: Whitening
    source: np.ndarray
    domain: np.ndarray
    item: np.ndarray
    target: np.ndarray
    test: np.ndarray
    test_domain: np.ndarray
    gallery: np.ndarray
    query: np.ndarray

    @property
    def centres(self) -> np.ndarray:
        """Means of the domains along the axes (2, D)."""
        return self.whitening.centres @ self.whitening.axes.T

    def embed(self, rows: np.ndarray, domain: np.ndarray, whitening: Whitening) -> np.ndarray:
        """Embeddings (n, D) of rows (n, D) along the axes, of these domains, by that whitening."""
        shrunk = (1 - SHRINKAGE) * whitening.variances + SHRINKAGE * whitening.variances.mean()
        directions = whitening.directions
        return unit_rows((rows - self.centres[domain]) @ (directions / np.sqrt(shrunk)) @ directions.T)

    def control(self, rows: np.ndarray, domain: np.ndarray) -> np.ndarray:
        """Embeddings as the control has them."""
        return self.embed(rows, domain, self.whitening)

    def with_pairs(self, differences: np.ndarray, weights: np.ndarray, share: float) -> np.ndarray:
        """The test pictures, whitened by a covariance that has a `share` of that of further weighted differences."""
        own = (self.whitening.directions * self.whitening.variances) @ self.whitening.directions.T
        weights = weights / weights.sum()
        centred = differences - weights @ differences
        further = (centred * weights[:, None]).T @ centred / 2
        further *= np.trace(own) / max(np.trace(further), 1e-12)
        variances, directions = np.linalg.eigh((1 - share) * own + share * further)
        changed = replace(self.whitening, variances=variances.clip(min=0), directions=directions)
        return self.embed(self.test, self.test_domain, changed)


def finch_items(setting: Setting) -> np.ndarray:
    """FINCH clusters of the target's pictures as items; a pair counts by its similarity above the median."""
    embedded = setting.control(setting.target, np.full(len(setting.target), SHOP)).astype(np.float32)
    labels = finch(torch.from_numpy(embedded)).labels[:, 0]
    one, other = np.triu_indices(len(labels), 1)
    same = labels[one] == labels[other]
    one, other = one[same], other[same]
    similarity = (embedded[one] * embedded[other]).sum(axis=1)
    confidence = (similarity - np.median(similarity)).clip(min=0) + 1e-9
    return setting.with_pairs(setting.target[one] - setting.target[other], confidence, 0.2)


def transport_links(setting: Setting) -> np.ndarray:
    """Entropic transport (Cuturi 2013) of target pictures to source items; each link a pair with a consumer picture."""
    means = np.stack([setting.source[setting.item == item].mean(axis=0) for item in np.unique(setting.item)])
    centred = setting.control(means, np.full(len(means), SHOP))
    similarity = setting.control(setting.target, np.full(len(setting.target), SHOP)) @ centred.T
    plan = np.exp(similarity / 0.05)
    for _ in range(50):
        plan /= plan.sum(axis=1, keepdims=True) * len(plan)
        plan /= plan.sum(axis=0, keepdims=True) * plan.shape[1]
    rows, best = np.arange(len(plan)), plan.argmax(axis=1)
    items = np.unique(setting.item)
    photos = {item: np.flatnonzero((setting.item == item) & (setting.domain == CONSUMER)) for item in items}
    kept = [row for row in rows if len(photos[items[best[row]]])]
    anchors = np.array([photos[items[best[row]]][0] for row in kept])
    differences = (setting.source[anchors] - setting.centres[CONSUMER]) - (setting.target[kept] - setting.centres[SHOP])
    return setting.with_pairs(differences, plan[kept, best[kept]], 0.2)


def entropy_bias(setting: Setting) -> np.ndarray:
    """A bias of the queries that makes their answers certain: entropy over the gallery (TEMP, arXiv 2403.14114).

    It sees the queries, unlabelled, all at once.
    """
    made = setting.control(setting.test, setting.test_domain)
    queries, gallery = (torch.from_numpy(made[rows]) for rows in (setting.query, setting.gallery))
    bias = torch.zeros(queries.shape[1], dtype=queries.dtype, requires_grad=True)
    optimizer = torch.optim.Adam([bias], lr=0.002)
    for _ in range(50):
        logits = torch.nn.functional.normalize(queries + bias, dim=1) @ gallery.T / 0.05
        certain = logits.topk(min(10, logits.shape[1]), dim=1).values.log_softmax(dim=1)
        entropy = -(certain.exp() * certain).sum(dim=1).mean()
        optimizer.zero_grad()
        entropy.backward()
        optimizer.step()
    made[setting.query] = unit_rows((queries + bias.detach()).numpy())
    return made


def reciprocal_gallery(setting: Setting) -> np.ndarray:
    """Gallery pictures smoothed over their k-reciprocal neighbours, in the gallery alone (Zhong et al., CVPR 2017)."""
    made = setting.control(setting.test, setting.test_domain)
    gallery = made[setting.gallery]
    similarity = gallery @ gallery.T
    k = min(5, len(gallery) - 1)
    near = similarity >= np.sort(similarity, axis=1)[:, -k - 1][:, None]
    weights = np.where(near & near.T, similarity.clip(min=0) ** 3, 0)
    made[setting.gallery] = unit_rows(weights @ gallery)
    return made


METHODS: dict[str, Callable[[Setting], np.ndarray]] = {
    "FINCH clusters as items, by confidence": finch_items,
    "optimal transport links": transport_links,
    "entropy of the answers (TEMP; sees queries)": entropy_bias,
    "k-reciprocal neighbours of the gallery": reciprocal_gallery,
}


def settings_of(folder: Path) -> tuple[list[Setting], Callable[[dict[str, np.ndarray]], dict[str, RetrievalResult]]]:
    """A setting a seed, and what scores embeddings (N, D) of the test part."""
    manifest = read_manifest(folder / "data/manifest.parquet")
    parts = (Part.SOURCE_TRAIN, Part.TARGET_TRAIN, Part.TARGET_TEST)
    source, target, test = open_parts(folder / "data/features", parts, manifest, folder / "data/models/backbone")
    rows, shown = manifest.iloc[source.row], manifest.iloc[test.row]
    item, domain, made = product_codes(rows), domain_codes(rows[DOMAIN]), []
    pooled = [rooted(each.pooled.astype(np.float64)) for each in (source, target, test)]
    asked = np.flatnonzero(shown[SPLIT] == Split.QUERY)
    found = np.flatnonzero(shown[SPLIT] == Split.GALLERY)
    for seed in SEEDS:
        items = np.random.default_rng(seed).permutation(np.unique(item))
        kept = np.isin(item, items[: round(SHARE * len(items))])
        whitening = fit_whitening(source.pooled[kept], domain[kept], item[kept], root=True, width=WIDTH)
        along = [each @ whitening.axes.T for each in (pooled[0][kept], *pooled[1:])]
        made.append(
            Setting(
                whitening, along[0], domain[kept], item[kept], *along[1:], domain_codes(shown[DOMAIN]), found, asked
            )
        )

    def score(models: dict[str, np.ndarray]) -> dict[str, RetrievalResult]:
        embeddings = {name: each.astype(np.float32) for name, each in models.items()}
        return dict(evaluate(embeddings, shown, PROTOCOLS["street2shop"], resamples=1).results)

    return made, score


def mean_result(results: list[RetrievalResult]) -> RetrievalResult:
    """The mean over seeds of each query's figures."""
    values = {name: np.mean([each.values[name] for each in results], axis=0) for name in results[0].values}
    return replace(results[0], values=values)


def table_of(means: dict[str, dict[str, RetrievalResult]]) -> str:
    """A column a data set: the control, then each method's gain over it, with its interval over items."""
    columns = {}
    for name, results in means.items():
        control = results["control"]
        columns[name] = {"control": f"{control.summary(())['all'][METRIC]:.4f}"}
        for title in results.keys() - {"control"}:
            gain = gain_intervals(control, results[title])[METRIC]
            columns[name][title] = f"{gain['mean']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
    titles = next(iter(means.values()))
    rows = [[title, *(column[title] for column in columns.values())] for title in titles]
    return markdown_table([["mAP (trapezoidal)", *columns], *rows])


def main() -> None:
    """Print the table."""
    means = {}
    for named in sys.argv[1:]:
        name, _, folder = named.partition("=")
        settings, score = settings_of(Path(folder))
        results: dict[str, list[RetrievalResult]] = {}
        for setting in settings:
            models = {"control": setting.control(setting.test, setting.test_domain)}
            models |= {title: method(setting) for title, method in METHODS.items()}
            for title, result in score(models).items():
                results.setdefault(title, []).append(result)
        means[name] = {title: mean_result(each) for title, each in results.items()}
    print(table_of(means))


if __name__ == "__main__":
    main()
