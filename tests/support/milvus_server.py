"""A Milvus on this machine, of its own data, for as long as it is needed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

import pytest

REAL = "MILVUS_SERVER"  # environment: the program milvus-server of the package milvus 2.3.5, in a venv of its own
SECONDS_TO_START = 90


class MilvusServer:
    """Answers at `uri` until it is stopped."""

    def __init__(self, kind: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        where = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
        self.process = subprocess.Popen(self._command(kind, folder), **where)

    def _command(self, kind: str, folder: Path) -> list[str]:
        if kind == "lite":
            if find_spec("milvus_lite") is None or find_spec("pymilvus") is None:
                pytest.skip("milvus-lite and pymilvus are not installed")
            program = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder)]
            return [*program, "--host", "127.0.0.1", "--port", str(self.port)]
        program = os.environ.get(REAL) or shutil.which("milvus-server")
        if program is None or find_spec("pymilvus") is None:
            pytest.skip(f"no milvus-server; {REAL} says where that of the package milvus 2.3.5 is")
        return [program, "--data", str(folder), "--proxy-port", str(self.port)]

    def wait(self) -> None:
        """Until it answers."""
        from pymilvus import MilvusClient, MilvusException

        end = monotonic() + SECONDS_TO_START
        while True:
            assert self.process.poll() is None, "Milvus ended"
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    MilvusClient(self.uri, timeout=5).list_collections(timeout=5)
                    return
            except (OSError, MilvusException):
                assert monotonic() < end, "Milvus does not answer"
                sleep(0.2)

    def stop(self) -> None:
        """End it and what it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)


@contextmanager
def milvus_server(kind: str, folder: Path) -> Iterator[MilvusServer]:
    """`kind`: lite, server (the real one). Skips the test where it is not installed."""
    folder.mkdir(parents=True, exist_ok=True)
    server = MilvusServer(kind, folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
