"""The page on drawn pictures, as a process.

python -m support.serve_fake SECONDS [attributes=NAME,...] [limit=value ...]
"""

import sys

from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.server import bind, serve
from pipeline.web.service import Service
from support.fake_searcher import FakeSearcher

ATTRIBUTES = "attributes="

if __name__ == "__main__":
    delay, *limits = sys.argv[1:]
    attributes = limits.pop(0).removeprefix(ATTRIBUTES).split(",") if limits and ATTRIBUTES in limits[0] else []
    with bind("127.0.0.1", 0) as listening:
        service = Service(lambda: FakeSearcher(delay=float(delay), attributes=attributes), lambda: 0, Limits.of(limits))
        port = listening.getsockname()[1]
        serve(create_app(service), listening, lambda: print(f"http://127.0.0.1:{port}", flush=True))
