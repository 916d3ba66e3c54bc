"""The page on drawn pictures, as a process: `python -m support.serve_fake SECONDS [limit=value ...]`."""

import sys

from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.server import bind, serve
from pipeline.web.service import Service
from support.fake_searcher import FakeSearcher

if __name__ == "__main__":
    with bind("127.0.0.1", 0) as listening:
        service = Service(lambda: FakeSearcher(delay=float(sys.argv[1])), lambda: 0, Limits.of(sys.argv[2:]))
        port = listening.getsockname()[1]
        serve(create_app(service), listening, lambda: print(f"http://127.0.0.1:{port}", flush=True))
