"""Servers in processes of their own, ended by their number."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from support.project import PROJECT

WAIT = 30


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """`support.serve_fake` and its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "support.serve_fake", *arguments],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield server, server.stdout.readline().strip()
    finally:
        server.terminate()  # nothing happens to one that has ended
        server.communicate(timeout=WAIT)
