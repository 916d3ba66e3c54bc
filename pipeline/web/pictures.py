"""Pictures of the index, by their number alone."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from pipeline.web.service import Service

STATIC = Path(__file__).parent / "static"
SMALL, LARGE = 400, 1000  # pixels of a tile, and of a query


class Pictures:
    """Sends the pictures of `service` as JPEG, and a placeholder for one that is gone, or takes too long."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def small(self, request: Request) -> Response:
        """For a tile."""
        return await self._send(request, SMALL)

    async def large(self, request: Request) -> Response:
        """For a query."""
        return await self._send(request, LARGE)

    async def _send(self, request: Request, side: int) -> Response:
        served = self._service.served
        jpeg = await self._service.picture(served, request.path_params["row"], side)
        if jpeg is None:
            return FileResponse(STATIC / "placeholder.svg", headers={"Cache-Control": "no-store"})
        # An address with the tag of the index always means the same picture.
        lasting = request.query_params.get("v") == served.tag
        headers = {"Cache-Control": "private, max-age=31536000, immutable"} if lasting else {}
        return Response(jpeg, media_type="image/jpeg", headers=headers)
