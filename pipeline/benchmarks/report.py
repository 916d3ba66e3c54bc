"""Measurements as a table and as numbers."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipeline.benchmarks.measure import Measurement
from pipeline.reporting.markdown import markdown_table

HEADER = ["work", "limit s", "ours s", "ratio", "at most", "peak MB", "at most", "kept"]


def bench_table(measurements: Sequence[Measurement]) -> str:
    """Markdown: a row a case, then what the limits are.

    Times are medians, their ratio is ours to the limit's, memory is above the inputs; each has its bound beside it.
    """
    cells = [
        [
            one.name,
            f"{one.limit_seconds:.3g}",
            f"{one.seconds:.3g}",
            f"{one.ratio:.3g}",
            f"{one.most_ratio:.3g}",
            f"{one.peak_mb:.0f}",
            "" if one.most_mb is None else f"{one.most_mb:.0f}",
            "yes" if one.kept else "NO",
        ]
        for one in measurements
    ]
    limits = [f"- limit of {one.name}: {one.limit}" for one in measurements]
    return "\n".join([markdown_table([HEADER, *cells]), "", *limits])


def bench_figures(measurements: Sequence[Measurement], conditions: dict[str, Any]) -> dict[str, Any]:
    """The same for JSON."""
    cases = {one.name: {**asdict(one), "ratio": one.ratio, "kept": one.kept} for one in measurements}
    return {"conditions": conditions, "cases": cases}
