"""What a client sends: read under caps, kept in memory alone, never by its name."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from pipeline.images.decode import UnreadableImage, picture_size
from pipeline.web.limits import Limits
from pipeline.web.refusals import Refusal, busy

PICTURE = "image"
MAX_FIELDS, MAX_FIELD_BYTES = 30, 1000
# The head of a scan; its last byte is the number of its components (colours). A scan of a progressive JPEG passes over
# all pixels of each of them with hardly a byte in the file: some kB can keep a decoder for minutes. Usual encoders pass
# 14 times, or 24 for four colours: MAX_PASSES over as many pixels as are allowed; 40 megapixels then take below 2 s.
SCAN = re.compile(rb"\xff\xda\0(?:\x08\x01|\x0a\x02|\x0c\x03|\x0e\x04)")
MAX_SCANS, MAX_PASSES = 200, 25
# What Pillow decodes in Python, while nothing else can run: a comment of a PPM, a run of pixels of a BMP.
PPM = re.compile(rb"P[0-9A-Za-z]\s")
BMP, BMP_HEADER, BMP_PACKED = b"BM", slice(14, 18), slice(30, 34)  # the length of its header; how it is packed
BMP_OLD, BMP_PLAIN = 12, (0, 3)  # a header that says nothing of it; not at all


class Uploads:
    """Reads the forms that clients send. What is being read at a time is bounded too."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._held = limits, 0

    async def read(self, request: Request) -> tuple[bytes, list[tuple[str, str]]]:
        """The picture and the other fields. Raises Refusal."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
            raise Refusal(415, f"the request is no multipart/form-data; send a form with the picture as {PICTURE!r}")
        body = await self._body(request)
        try:
            form = await _Parser(
                request.headers, _once(body), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
            ).parse()
        except MultiPartException as error:
            raise Refusal(400, f"the form cannot be read: {error.message}") from None
        except ValueError:  # of a charset that is none
            raise Refusal(400, "the form cannot be read: its Content-Type names a charset that does not fit") from None
        pictures = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
        fields = [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
        if not pictures:
            raise Refusal(400, f"no picture was sent; send a file as field {PICTURE!r}")
        name, picture = pictures[0]
        if name != PICTURE:
            raise Refusal(400, f"field {name!r}: a file, where only {PICTURE!r} is one")
        content = await picture.read()
        await picture.close()
        if not content:
            raise Refusal(
                400, "the picture is empty; choose another file" if picture.filename else "no picture was chosen"
            )
        return content, fields

    async def _body(self, request: Request) -> bytes:
        """All bytes of the body, as long as they come and are not too many."""
        cap = self._limits.upload_bytes
        if int(request.headers.get("content-length", 0)) > cap:
            raise self._too_large()
        read: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.upload_seconds):
                while True:
                    message = await asyncio.wait_for(request.receive(), self._limits.stall_seconds)
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "the connection was closed before the end of the request")
                    chunk = message.get("body", b"")
                    size, self._held = size + len(chunk), self._held + len(chunk)
                    if size > cap:
                        raise self._too_large()
                    if self._held > max(self._limits.uploads_mb * 1e6, cap):
                        raise busy()
                    read.append(chunk)
                    if not message.get("more_body", False):
                        return b"".join(read)
        except TimeoutError:
            raise Refusal(408, "the request did not come in time; try again", {"Connection": "close"}) from None
        finally:
            self._held -= size

    def _too_large(self) -> Refusal:
        return Refusal(413, f"more than {self._limits.upload_mb:g} MB; send a smaller picture")


def check_picture(content: bytes, megapixels: float) -> None:
    """Raise Refusal for an encoded picture that would take long. Whether it is one at all, decoding says."""
    try:
        width, height = picture_size(content)
    except UnreadableImage:
        return
    if width * height > megapixels * 1e6:
        text = f"the picture: {width}x{height} pixels, above the cap of {megapixels:g} megapixels; send a smaller one"
        raise Refusal(422, text)
    if PPM.match(content) or _is_packed(content):
        raise Refusal(422, "the picture: a PPM or a packed BMP, which takes long to read; save it as JPEG or PNG")
    if content.startswith(b"\xff\xd8"):
        scans = SCAN.findall(content)
        passed = sum(scan[-1] for scan in scans) * width * height
        if len(scans) > MAX_SCANS or passed > MAX_PASSES * megapixels * 1e6:
            raise Refusal(422, f"the picture: a JPEG of {len(scans)} scans, too many for its size; save it anew")


def _is_packed(content: bytes) -> bool:
    """Whether it is a BMP of runs."""
    header, packed = (int.from_bytes(content[part], "little") for part in (BMP_HEADER, BMP_PACKED))
    return content.startswith(BMP) and header != BMP_OLD and packed not in BMP_PLAIN


class _Parser(MultiPartParser):
    spool_max_size = sys.maxsize  # never a temporary file: the body is in memory, under a cap


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
