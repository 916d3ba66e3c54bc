"""Programs in two processes, as torchrun starts them."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from support.chain import ONE_THREAD
from support.project import PROJECT

LIMIT = 300  # seconds


def torchrun(folder: Path, module: str, *options: str) -> subprocess.Popen:
    """Start `python -m module` twice; the launcher and both processes end with `kill_all`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launch = ["torch.distributed.run", "--nproc_per_node=2", "--master_addr=127.0.0.1", f"--master_port={port}"]
    return subprocess.Popen(
        [sys.executable, "-m", *launch, "-m", module, *options],
        cwd=folder,
        env=os.environ | ONE_THREAD | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_all(launcher: subprocess.Popen) -> None:
    """SIGKILL to the launcher and what it started, which lives in sessions of its own."""
    started = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    for pid in (launcher.pid, *map(int, started)):
        os.kill(pid, signal.SIGKILL)
    launcher.communicate()


def succeed(launcher: subprocess.Popen) -> str:
    """Wait until it is over, which must go well and within LIMIT; gives what it said."""
    try:
        stdout, stderr = launcher.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        kill_all(launcher)
        raise
    assert launcher.returncode == 0, stderr
    return stdout
