"""Lightning Fabric: device and precision of a training run, and its gradients."""

from collections.abc import Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pipeline.base.devices import Device, be_deterministic, torch_device


def start_fabric(device: Device, precision: str) -> Fabric:
    """Fabric on one device; `precision` auto is bf16-mixed on a GPU that has it, else float32."""
    accelerator = torch_device(device).type
    if precision == "auto":
        has_bf16 = accelerator == "cuda" and torch.cuda.is_bf16_supported()
        precision = "bf16-mixed" if has_bf16 else "32-true"
    be_deterministic()
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)
    fabric.launch()
    return fabric


def backward(fabric: Fabric, loss: Tensor, inputs: Sequence[nn.Parameter] | None = None) -> None:
    """Add the gradients of the scalar `loss` to all parameters it depends on, or to `inputs` alone.

    All gradients of all training are made here.
    """
    fabric.backward(loss, inputs=inputs)
