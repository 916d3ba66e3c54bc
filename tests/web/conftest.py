"""The app on drawn pictures, called without a network; the real server where that matters."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from support.fake_searcher import FakeSearcher
from support.project import PROJECT

from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.service import Service

TESTED = Limits(upload_mb=2, megapixels=10, results=100)
WAIT = 30


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    with TestClient(
        create_app(Service(FakeSearcher, lambda: 0, TESTED)), "http://localhost", raise_server_exceptions=True
    ) as client:
        yield client


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[subprocess.Popen, str]]]:
    """Starts the server in a process of its own; gives it and its address."""
    started = []

    def start(*arguments: str) -> tuple[subprocess.Popen, str]:
        server = subprocess.Popen(
            [sys.executable, "-m", "support.serve_fake", *arguments],
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests'}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(server)
        return server, server.stdout.readline().strip()

    yield start
    for server in started:
        if server.poll() is None:
            server.terminate()
        server.communicate(timeout=WAIT)
