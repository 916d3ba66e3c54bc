"""A benchmark: some work of ours beside the bare matrix products or forward passes in it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Trial:
    """The two things to time, on inputs that exist already. `limit` is the bare work ours is held against."""

    ours: Callable[[], Any]
    limit: Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """`prepare(device, folder)` makes the inputs; `folder` is empty and goes away afterwards.

    group: what `stages.bench --only` selects; limit: what `Trial.limit` does, in words; most_ratio, most_mb: bounds of
    time relative to the limit and of peak memory (MB, 10^6 bytes) above the inputs, None where there is none.
    cpu_only: another device has no part in it.
    """

    group: str
    name: str
    limit: str
    prepare: Callable[[torch.device, Path], Trial]
    most_ratio: float
    most_mb: float | None = None
    cpu_only: bool = False
