"""Which of the processes of one run this is, where torchrun, SLURM or Fabric started several.

The environment tells, so that it is known before the processes have met, and without torch.
"""

import os
import sys

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")  # of torchrun, Fabric on one machine, SLURM
SIZES = ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
LOCAL_RANKS = ("LOCAL_RANK", "SLURM_LOCALID")


def is_first() -> bool:
    """Whether this process speaks, locks and writes: the only one of its run, or the first of several."""
    return _is_zero(RANKS)


def started_together() -> int:
    """How many processes torchrun or srun started for this run; 1: it was started alone."""
    sizes = (os.environ[name] for name in SIZES if name in os.environ)
    return next((int(size) for size in sizes), 1)


def tells_failure() -> bool:
    """Whether this process is to say why the run fails: the first one that fails, since the others follow it.

    Before they have met it is the first on each machine: all of them make the same mistakes.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not (distributed.is_available() and distributed.is_initialized()):
        return _is_zero(LOCAL_RANKS)
    try:
        return distributed.distributed_c10d._get_default_store().add("failed", 1) == 1
    except RuntimeError:  # the process that kept the store is gone
        return False


def _is_zero(names: tuple[str, ...]) -> bool:
    return next((os.environ[name] for name in names if name in os.environ), "0") == "0"
