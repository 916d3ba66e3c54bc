"""A web server on this machine whose faults can be chosen."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves `content` at any path; `requests` collects the Range header of every request."""

    content: bytes
    etag: str | None = '"one"'
    ranges: bool = True  # understands Range
    heeds_if_range: bool = True
    drop_after: int | None = None  # bytes of an answer after which the connection breaks
    statuses: list[int] = field(default_factory=list)  # answered first, one a request
    requests: list[str | None] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator["FileServer"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}/files/set.bin"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                files.requests.append(wanted)
                if files.statuses:
                    self.send_error(files.statuses.pop(0))
                    return
                start = int(re.match(r"bytes=(\d+)-", wanted)[1]) if wanted and files.ranges else 0
                if files.heeds_if_range and self.headers.get("If-Range") not in (None, files.etag):
                    start = 0
                size = len(files.content)
                if start and start >= size:
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{size}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                body = files.content[start:]
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
                if files.etag:
                    self.send_header("ETag", files.etag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: files.drop_after])
                if files.drop_after is not None and files.drop_after < len(body):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler
