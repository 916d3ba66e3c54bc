"""Pooled rows by content, so that no picture goes twice through the same backbone.

`<folder>/<what makes rows>/<what is in the rows>.npy` holds the pooled rows (C, P) float32 of a chunk of pictures. The
first name covers all that the network and its input are made of (`maker_key`), the second the pictures and boxes of the
chunk, in order. A chunk is the unit since a row is the same to the last bit only in the same batches: alone, a picture
takes other kernels than among others. So rows from here are the bytes that computing them would give.

Nothing ever asks for rows of a model that is gone. In time they are the ones that were not used for longest, which
`prune` removes first.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pipeline.base.atomic import replacing
from pipeline.base.code import code_digest, is_of_project
from pipeline.base.names import BOX, DIGEST
from pipeline.images.transforms import Transform
from pipeline.models.network import Network

# Of the model's params those that pooled rows do not depend on; a param that is not listed counts.
OF_THE_HEAD = ("norm_features", "embedding_dim", "output")
OF_TRAINING = ("weights", "frozen", "frozen_bn")
LIBRARIES = ("torch", "torchvision", "timm", "pillow")
STALE = 24 * 3600.0  # seconds after which an unfinished file is that of a killed run


class PooledCache:
    """Files of pooled rows in `folder`, made as the key `maker` says from the pictures of `table`, a row a picture.

    `conditions` (N,) int64: what the network is told beside each picture.
    """

    def __init__(self, folder: Path, maker: str, table: pd.DataFrame, conditions: np.ndarray | None = None) -> None:
        self.folder = folder / maker
        boxes = table[list(BOX)].to_numpy(dtype="<f8")
        self._pictures = [digest.encode() + box.tobytes() for digest, box in zip(table[DIGEST], boxes, strict=True)]
        if conditions is not None:
            told = conditions.astype("<i8")
            self._pictures = [picture + each.tobytes() for picture, each in zip(self._pictures, told, strict=True)]

    def has(self, chunk: np.ndarray) -> bool:
        """Whether the rows of the pictures at positions `chunk` (C,) are here."""
        return self._file(chunk).is_file()

    def read(self, chunk: np.ndarray) -> np.ndarray | None:
        """The rows (C, P) of `chunk`, or None where they are not, or no longer, here."""
        file = self._file(chunk)
        try:
            rows = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        with suppress(OSError):  # of another user, whose it stays
            os.utime(file)  # used just now
        return rows if rows.ndim == 2 and len(rows) == len(chunk) and rows.dtype == np.float32 else None

    def write(self, chunk: np.ndarray, rows: np.ndarray) -> None:
        """Keep `rows` (C, P) float32 of `chunk`, by rename: who reads meanwhile sees all of them or none."""
        with replacing(self._file(chunk)) as aside, open(aside, "wb") as handle:
            np.save(handle, rows)

    def _file(self, chunk: np.ndarray) -> Path:
        digest = hashlib.sha256()
        for picture in chunk:
            digest.update(self._pictures[picture] + b"\0")
        return self.folder / f"{digest.hexdigest()[:32]}.npy"


@torch.no_grad()
def maker_key(
    network: Network,
    transform: Transform,
    side: int,
    *,
    device: torch.device,
    batch_size: int,
    view: int = 0,
    further: Mapping[str, Any] | None = None,
) -> str:
    """Hex digest (32 characters) of what makes pooled rows out of pictures, but for the pictures.

    Weights and settings but for those of the head; the transform (what it prints) and the `side` that pictures are
    decoded for; device, size of batches, libraries and code, the network's own too. `view`: seed of a transform that
    draws; `further`: how what is beside the pooled rows, or drawn before them, is made.
    """
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        if not name.startswith("head."):
            values = tensor.detach().cpu().contiguous()
            digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
            digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    unread = (*OF_THE_HEAD, *OF_TRAINING)
    settings = {name: value for name, value in network.settings.items() if name not in unread} | {"kind": network.kind}
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    facts = [settings, repr(transform), side, view, name, batch_size, [version(library) for library in LIBRARIES]]
    facts += [] if further is None else [further]
    digest.update(json.dumps(facts, sort_keys=True).encode())
    parts = {type(part).__module__ for part in network.modules()}
    modules = ["pipeline.features.extract", "pipeline.images.loading", *filter(is_of_project, parts)]
    digest.update(code_digest(modules).encode())
    return digest.hexdigest()[:32]


def prune(folder: Path, max_bytes: float) -> None:
    """Remove the files below `folder` that were not used for longest until the others take at most `max_bytes`.

    What killed runs left unfinished goes too. Safe beside other processes: a file that is gone is computed again.
    """
    used = []
    for file in folder.rglob("*"):
        try:
            facts = file.stat()
        except OSError:  # removed by another process
            continue
        if file.suffix == ".npy":
            used.append((facts.st_mtime_ns, file, facts.st_size))
        elif file.suffix == ".part" and time.time() - facts.st_mtime > STALE:
            file.unlink(missing_ok=True)
    total = sum(size for _, _, size in used)
    for _, file, size in sorted(used):
        if total <= max_bytes:
            break
        file.unlink(missing_ok=True)
        total -= size
    for maker in folder.glob("*/"):
        try:
            maker.rmdir()  # only where it is empty
        except OSError:
            continue
