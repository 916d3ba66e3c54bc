"""Section `runtime`: what cannot change a result. No stage lists it in dvc.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.params import Section


class RuntimeParams(Section):
    """Device, parallelism and bookkeeping; `batch_size` is that of inference, `devices` are those of training.

    `cache`: folder for pooled rows (null: none is kept), which holds at most `cache_gb` (10^9 bytes) after a run.
    """

    device: Literal["auto", "cpu", "cuda"]
    devices: Annotated[int, Field(ge=1)]
    workers: Annotated[int, Field(ge=0)]
    batch_size: Annotated[int, Field(ge=1)]
    chunk_rows: Annotated[int, Field(ge=1)]
    block_rows: Annotated[int, Field(ge=1)]
    log_steps: Annotated[int, Field(ge=1)]
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    scratch: str
    cache: str | None
    cache_gb: Annotated[float, Field(ge=0)]
