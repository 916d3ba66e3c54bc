"""Peak memory of a piece of work, above what the process held before it."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pipeline.base.memory import hand_back

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_memory(work: Callable[[], Any], device: torch.device) -> float:
    """MB (10^6 bytes) that `work()` held at most beyond what was held before: of the GPU on CUDA, else of the process.

    Linux resets the process's high-water mark; elsewhere memory freed before `work` hides as much of its peak.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    if _RESET.exists():
        hand_back()  # what is kept of earlier work would hide as much of this one's
        _RESET.write_text("5")  # see proc(5)
        before = _linux_kilobytes("VmRSS")
        work()
        return (_linux_kilobytes("VmHWM") - before) * 1024 / 1e6
    before = _high_water_mark()
    work()
    return (_high_water_mark() - before) / 1e6


def _linux_kilobytes(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1])


def _high_water_mark() -> int:
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
