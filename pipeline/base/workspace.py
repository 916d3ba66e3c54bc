"""Work in progress: where a stage writes until its output is whole, so that a killed run can go on.

DVC deletes the outputs of a stage before it runs, hence the work lies elsewhere, in
`<scratch>/<stage>/<fingerprint>/`. The fingerprint covers everything the result depends on; work begun under another
one is dropped. A lock keeps two runs of one stage apart, also when only `dvc` was killed and its stage lives on.
"""

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.base.atomic import remove, write_bytes
from pipeline.base.code import code_digest
from pipeline.base.errors import UserError
from pipeline.base.opening import files_in
from pipeline.base.processes import is_first


def fingerprint(*, params: Any, inputs: Iterable[Path], modules: Iterable[str]) -> str:
    """Hex digest (16 characters) of params (JSON), the bytes of input files and folders, and the code.

    `inputs` must exist; folders are walked in sorted order. `modules` are dotted names, taken with all they import.
    """
    digest = hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode())
    for path in inputs:
        for file in files_in(path) if path.is_dir() else [path]:
            digest.update(file.relative_to(path).as_posix().encode() + b"\0" + _file_digest(file))
    digest.update(code_digest(modules).encode())
    return digest.hexdigest()[:16]


@contextmanager
def workspace(scratch: Path, stage: str, mark: str) -> Iterator[Path]:
    """The folder for work of `stage` under fingerprint `mark`; kept on failure, removed on success.

    The first of several processes sees to that; the others know the folder, which is there once they have met.
    Raises UserError naming the holder when another run works on the same stage.
    """
    home = scratch / stage
    if not is_first():
        yield home / mark
        return
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home, stage):
        for other in home.iterdir():
            if other.is_dir() and other.name != mark:
                remove(other)
        folder = home / mark
        folder.mkdir(exist_ok=True)
        yield folder
        remove(folder)


@contextmanager
def _locked(home: Path, stage: str) -> Iterator[None]:
    lock, holder = FileLock(home / "lock"), home / "holder.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(_held(stage, holder)) from None
    try:
        facts = {"pid": os.getpid(), "host": socket.gethostname()}
        write_bytes(holder, json.dumps(facts).encode())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _held(stage: str, holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text())
        who = f"process {facts['pid']} on {facts['host']}"
        mend = f"wait for it to finish or stop it with `kill {facts['pid']}`"
    except (OSError, ValueError, KeyError):
        who, mend = "another process", "wait for it to finish"
    return f"{stage}: {who} is at work on this stage and holds {holder.with_name('lock')}; {mend}, then run again"


def _file_digest(path: Path) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
