"""Who may ask, and what a browser is told about every answer."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.web.refusals import Refusal

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    # A picture that was chosen is shown before it is sent: that is a blob.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses requests under another name than `hosts`, and those that pages of other origins send.

    A page of somebody else can point a name of its own at this machine (DNS rebinding); with `any_address` the name
    may be any address, which nobody can point.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, any_address: bool = False) -> None:
        self._app, self._any_address = app, any_address
        self._hosts = {host.lower() for host in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the app answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")  # asked anew each time, also the script and the style
            await send(message)

        try:
            self._check(scope["method"], Headers(scope=scope))
        except Refusal as refusal:
            response = JSONResponse({"error": str(refusal)}, refusal.status)
            await response(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _check(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._known(_name(host)):
            raise Refusal(400, f"host {host!r}: not a name of this server; start it with --allow to add one")
        if method in ("GET", "HEAD"):
            return
        # Browsers say where a request comes from, in one way or the other; programs say nothing.
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none") or (origin is not None and _netloc(origin) != host.lower()):
            raise Refusal(403, "a page of another origin cannot search here")

    def _known(self, name: str) -> bool:
        return name in self._hosts or (self._any_address and is_address(name))


def is_address(name: str) -> bool:
    """Whether it is an address instead of a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_any(host: str) -> bool:
    """Whether it stands for every address of the machine."""
    return is_address(host) and ip_address(host).is_unspecified


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
