"""The metric of a comparison in each category, attribute or set: means over seeds."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pipeline.base.names import COMPARED
from pipeline.reporting.markdown import markdown_table
from pipeline.reporting.tables import UNDEFINED, title_of

Groups = Mapping[str, Mapping[str, Mapping[str, Any]]]  # model -> group -> metric -> value: categories.json
Means = dict[tuple[str, str], dict[str, float]]  # (setting, model) -> group -> mean


def group_means(settings: Iterable[str], groups: Mapping[tuple[str, int], Groups], metric: str) -> Means:
    """Means over the seeds that have the metric in a group; `groups`: (setting, seed) -> content of categories.json."""
    means: Means = {}
    for setting in settings:
        runs = [content for (name, _), content in groups.items() if name == setting]
        for model in (str(model) for model in COMPARED if any(model in run for run in runs)):
            found: dict[str, list[float]] = {}
            for run in runs:
                for group, figures in run.get(model, {}).items():
                    found.setdefault(group, []).append(figures.get(metric))
            known = {group: [value for value in values if value is not None] for group, values in found.items()}
            means[setting, model] = {group: float(np.mean(values)) for group, values in known.items() if values}
    return means


def groups_table(means: Means, metric: str) -> str:
    """Markdown: a row a setting and model, a column a group, in alphabetical order."""
    groups = sorted({group for found in means.values() for group in found})
    rows = [
        [setting, model, *(f"{found[group]:.4f}" if group in found else UNDEFINED for group in groups)]
        for (setting, model), found in means.items()
    ]
    head = ["setting", "model", *groups]
    return f"**{title_of(metric)} by category**\n\n{markdown_table([head, *rows])}\n\nMean over seeds.\n"
