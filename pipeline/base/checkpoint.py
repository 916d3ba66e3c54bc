"""Checkpoints of work in progress: one file, replaced by rename, loaded without unpickling code."""

import io
import time
from pathlib import Path
from typing import Any

import torch

from pipeline.base.atomic import write_bytes
from pipeline.base.processes import is_first


class Checkpoint:
    """The last state of a run at `path`. `due()` is true when `seconds` have passed since the last save.

    Of several processes the first one alone saves, and all load.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds, self.saves = path, seconds, is_first()
        self._saved_at = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to save again."""
        return self.saves and time.monotonic() - self._saved_at >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint. A full disk raises OSError and leaves the old one."""
        if not self.saves:
            return
        buffer = io.BytesIO()  # torch.save to a path hides a full disk behind a RuntimeError
        torch.save(state, buffer)
        write_bytes(self.path, buffer.getvalue())
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The last saved state, or None."""
        if not self.path.exists():
            return None
        return torch.load(self.path, map_location="cpu", weights_only=True)
