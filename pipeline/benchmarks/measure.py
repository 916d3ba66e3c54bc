"""Timing a case and naming the hardware."""

import os
import platform
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, set_start_method
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import torch

from pipeline.benchmarks.case import Case
from pipeline.benchmarks.memory import peak_memory


@dataclass(frozen=True)
class Measurement:
    """Medians in seconds; peak_mb: MB (10^6 bytes) above the inputs."""

    group: str
    name: str
    limit: str
    seconds: float
    limit_seconds: float
    most_ratio: float
    peak_mb: float
    most_mb: float | None

    @property
    def ratio(self) -> float:
        """Our time relative to the limit."""
        return self.seconds / self.limit_seconds

    @property
    def kept(self) -> bool:
        """Whether both bounds hold."""
        return self.ratio <= self.most_ratio and (self.most_mb is None or self.peak_mb <= self.most_mb)


def measure_apart(case: Case, device: torch.device, repeats: int) -> Measurement:
    """`measure` in a process of its own, so that no case sees the memory of another. `case` must be picklable."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_forget_start_method) as pool:
        return pool.submit(measure, case, device, repeats).result()


def measure(case: Case, device: torch.device, repeats: int) -> Measurement:
    """Medians of `repeats` alternate runs of both sides, after one run that measures the memory."""
    with TemporaryDirectory() as folder:
        trial = case.prepare(device, Path(folder))
        peak = peak_memory(trial.ours, device)
        times = [(_seconds(trial.limit, device), _seconds(trial.ours, device)) for _ in range(repeats)]
    limit, ours = (median(side) for side in zip(*times, strict=True))
    return Measurement(case.group, case.name, case.limit, ours, limit, case.most_ratio, peak, case.most_mb)


def hardware_name(device: torch.device) -> str:
    """Lower-case name of the device, fit for a file name, such as cpu-amd-epyc-2-threads."""
    if device.type == "cuda":
        name = f"gpu {torch.cuda.get_device_name()}"
    else:
        name = f"cpu {_processor()} {torch.get_num_threads()} threads"
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def conditions() -> dict[str, Any]:
    """What else a time depends on."""
    return {"torch": torch.__version__, "python": platform.python_version(), "cores": os.cpu_count()}


def _forget_start_method() -> None:
    # A spawned process would spawn the workers that decode pictures too, where a stage starts them as Python does.
    set_start_method(None, force=True)


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    start = perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return perf_counter() - start


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1] if found else platform.processor() or platform.machine()
