"""Where and how precisely to compute, through Lightning Fabric."""

from typing import Literal

import torch
from lightning_fabric import Fabric

from pipeline.errors import UserError

Device = Literal["auto", "cpu", "cuda"]


def torch_device(device: Device) -> torch.device:
    """The device `runtime.device` stands for: auto is CUDA where there is one. Raises UserError when it is absent."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("runtime.device: no CUDA device here; set it to auto or cpu")
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def start_fabric(device: Device, precision: str) -> Fabric:
    """Fabric on one device; `precision` auto is bf16-mixed on a GPU that has it, else float32."""
    accelerator = torch_device(device).type
    if precision == "auto":
        has_bf16 = accelerator == "cuda" and torch.cuda.is_bf16_supported()
        precision = "bf16-mixed" if has_bf16 else "32-true"
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
    fabric.launch()
    return fabric
