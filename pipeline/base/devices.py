"""Where to compute, and how to get the same bytes there each time."""

import os
from typing import Literal

import torch

from pipeline.base.errors import UserError

Device = Literal["auto", "cpu", "cuda"]


def torch_device(device: Device) -> torch.device:
    """The device that `runtime.device` stands for: auto is CUDA where there is one.

    Raises UserError when CUDA is asked for and absent.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("runtime.device: no CUDA device here; set it to auto or cpu")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def be_deterministic() -> None:
    """Let the operations of this process, but attention on a GPU, use their reproducible version; before training."""
    # Losses add up gradients of rows that occur several times; by default the order depends on the threads.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
