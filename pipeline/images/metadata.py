"""What surrounds the pixels of an encoded picture: read without trust, and cut away where it stands in their way."""

import struct
from collections.abc import Iterator

from PIL import ExifTags, Image

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # chunks of a PNG that say what its pixels are
EXIF = b"Exif\0\0"
APPLICATIONS = range(0xE1, 0xF0)  # segments of a JPEG for whatever an application writes; JFIF is before them
JFIF, ADOBE, COMMENT, SCAN = 0xE0, 0xEE, 0xFE, 0xDA  # two on how colours are coded, a comment, the pixels
WHOLE = 14  # bytes of a JFIF or Adobe segment at least
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = [TURNS[value] for value in (5, 6, 7, 8)]


def turn_of(image: Image.Image, exif: bytes = b"") -> Image.Transpose | None:
    """What brings the picture upright by its EXIF, or else by `exif`; None where that says nothing that makes sense."""
    try:
        tags = image.getexif()
        if exif:
            tags.load(exif)
        return TURNS.get(tags.get(ExifTags.Base.Orientation))
    except Exception:  # fields of any type, cut off or nonsense: the pixels are there all the same
        return None


def without_metadata(content: bytes) -> tuple[bytes, bytes]:
    """A PNG or JPEG without texts, profiles and comments, and its EXIF; another picture as it is, and nothing.

    Text and profile chunks of a PNG may be larger than Pillow allows, have wrong checksums, be no texts at all.
    """
    if content.startswith(PNG):
        chunks = list(_png_chunks(content))
        kept = [content[start:end] for kind, start, end in chunks if kind in NEEDED]
        exif = [content[start + 8 : end - 4] for kind, start, end in chunks if kind == b"eXIf"]
        return PNG + b"".join(kept), b"".join(exif[:1])
    if content.startswith(JPEG):
        return _bare_jpeg(content)
    return content, b""


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each chunk, where it begins and where it ends."""
    start = len(PNG)
    while start + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, start)
        end = start + 12 + length
        yield content[start + 4 : start + 8], start, end
        start = end


def _bare_jpeg(content: bytes) -> tuple[bytes, bytes]:
    kept, exif, start = [JPEG], b"", len(JPEG)
    while start + 4 <= len(content) and content[start] == 0xFF and content[start + 1] != SCAN:
        marker, (length,) = content[start + 1], struct.unpack_from(">H", content, start + 2)
        end = start + 2 + length
        told = marker in (JFIF, ADOBE) and length >= WHOLE
        if not told and (marker in (JFIF, COMMENT) or marker in APPLICATIONS):
            if content.startswith(EXIF, start + 4):
                exif = exif or content[start + 4 : end]
        else:
            kept.append(content[start:end])
        start = end
    return b"".join([*kept, content[start:]]), exif
