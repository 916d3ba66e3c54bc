"""Serves the app until it is told to end."""

import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from pipeline.base.errors import UserError

END_SECONDS = 30  # for what is under way


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any free one. Raises UserError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{host}, port {port}: {reason.lower()}; choose with --host and --port (0: any free)") from None


def serve(app: ASGIApp, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM, and end what is under way; `ready` is called once requests are answered."""
    # One known parser; the access log goes through `logging`, as the caller has set it up.
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them anew when it has ended, which is no failure
        signal.signal(number, signal.SIG_IGN)
    _Server(config, ready).run([listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
