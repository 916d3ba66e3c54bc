"""Lightning Fabric: device and precision of a training run, and its gradients."""

import logging
import os
from collections.abc import Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from pipeline.base.devices import Device, be_deterministic, torch_device
from pipeline.base.errors import UserError


def start_fabric(device: Device, precision: str, devices: int = 1) -> Fabric:
    """Fabric, on the devices of the processes that torchrun or SLURM started, or else on `devices` of this machine.

    For more than one it starts this program again, a process for each further one; all go on from here together.
    `precision` auto is bf16-mixed on a GPU that has it, else float32.
    Raises UserError when there are too few GPUs.
    """
    accelerator = torch_device(device).type
    devices, nodes = _launched() or (devices, 1)
    if accelerator == "cuda" and devices > (found := torch.cuda.device_count()):
        raise UserError(
            f"runtime.devices: {devices} processes need a GPU each, and this machine has {found}; lower their number"
        )
    if precision == "auto":
        has_bf16 = accelerator == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        precision = "bf16-mixed" if has_bf16 else "32-true"
    be_deterministic()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells each process that it is there
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, precision=precision)
    fabric.launch()
    return fabric


def _launched() -> tuple[int, int] | None:
    """How many processes a machine torchrun or SLURM's srun started, and on how many machines; None: neither did."""
    if "LOCAL_WORLD_SIZE" in os.environ:
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        return devices, int(os.environ["WORLD_SIZE"]) // devices
    if int(tasks := os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        nodes = int(os.environ["SLURM_STEP_NUM_NODES"])
        return int(tasks) // nodes, nodes
    return None


def backward(fabric: Fabric, loss: Tensor, inputs: Sequence[nn.Parameter] | None = None) -> None:
    """Add the gradients of the scalar `loss` to all parameters it depends on, or to `inputs` alone.

    All gradients of all training are made here.
    """
    fabric.backward(loss, inputs=inputs)
