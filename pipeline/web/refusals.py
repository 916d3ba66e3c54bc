"""What a client is told whose request is not answered."""

from collections.abc import Mapping


class Refusal(Exception):
    """A request that is refused: a status of 4xx or 503, and one line that says why and what to do."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.headers = status, dict(headers or {})


def busy() -> Refusal:
    """The refusal of a server that has enough to do."""
    return Refusal(503, "the server is busy; try again in a moment", {"Retry-After": "2"})
