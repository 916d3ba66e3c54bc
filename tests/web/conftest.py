"""The app on drawn pictures, called without a network; the real server where that matters."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient
from support.fake_searcher import FakeSearcher
from support.serving import serving

from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.service import Service

TESTED = Limits(upload_mb=2, megapixels=10, results=100)


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Service(FakeSearcher, lambda: 0, TESTED)), "http://localhost") as client:
        yield client


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[subprocess.Popen, str]]]:
    """Starts the server in a process of its own; gives it and its address."""
    with ExitStack() as started:
        yield lambda *arguments: started.enter_context(serving(*arguments))
