"""Where to compute."""

from typing import Literal

import torch

from pipeline.errors import UserError

Device = Literal["auto", "cpu", "cuda"]


def torch_device(device: Device) -> torch.device:
    """The device that `runtime.device` stands for: auto is CUDA where there is one.

    Raises UserError when CUDA is asked for and absent.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("runtime.device: no CUDA device here; set it to auto or cpu")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
