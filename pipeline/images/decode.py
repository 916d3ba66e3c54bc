"""Pictures from files: whatever photographers and shops deliver becomes 8-bit RGB, upright and cropped."""

import hashlib
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from pipeline.base.opening import why_closed
from pipeline.images.metadata import SIDEWAYS, turn_of, without_metadata

# All decoded inside Pillow; formats that start other programs (EPS) stay out.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# A file of some kB can claim billions of pixels; this many take 268 MB as RGB. From here on Pillow warns, by default,
# and from twice as many it refuses: what is decoded here, it is silent about.
MAX_PIXELS = 89_478_485

# Brands of the files of phones that the optional package pillow-heif decodes.
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
HEIF = "HEIF"  # Pillow's name of them, once that package is there

Box = tuple[float, float, float, float]


class UnreadableImage(Exception):
    """A file that gives no usable picture. Its text is the reason, in a few words.

    `mend`: what to do, where the file could not be opened and nothing is known of the picture.
    """

    def __init__(self, reason: str, mend: str | None = None) -> None:
        super().__init__(reason, mend)
        self.reason, self.mend = reason, mend

    def __str__(self) -> str:
        return self.reason


def load_image(path: Path, box: Box | None = None, *, min_side: int = 1, target_side: int | None = None) -> Image.Image:
    """The picture in the file `path` as RGB; see `decode_image`. Raises UnreadableImage."""
    return decode_image(read_content(path), box, min_side=min_side, target_side=target_side)


def read_content(path: Path) -> bytes:
    """The bytes of a file. Raises UnreadableImage when it cannot be opened, or has nothing in it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        closed = why_closed(path, error)
        raise UnreadableImage(*(closed or [(error.strerror or "cannot be read").lower()])) from None
    except ValueError:  # a null byte in the name
        raise UnreadableImage("no name of a file") from None
    if not content:
        raise UnreadableImage("empty file")
    return content


def content_digest(content: bytes) -> str:
    """What tells a file from others: 32 hexadecimal characters of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:32]


def decode_image(
    content: bytes, box: Box | None = None, *, min_side: int = 1, target_side: int | None = None
) -> Image.Image:
    """The first frame of an encoded picture as RGB: upright by its EXIF tag, transparency shown on white.

    `box` (x, y, w, h) crops, in pixels of the upright picture at full size. With `target_side`, a JPEG may come out
    smaller by 2, 4 or 8, which decodes much faster, as long as both sides of the crop keep `target_side` pixels.
    Colour profiles are not applied.

    What can be decoded for one box and `target_side` can be for any: where the faster way fails, or metadata stand in
    the way of the pixels, they are decoded at full size without them.

    Raises UnreadableImage when the content is damaged, of another format, above MAX_PIXELS, or when the crop is
    smaller than `min_side` on a side.
    """
    try:
        return _decode(content, box, min_side, target_side)
    except UnreadableImage:
        raise
    except Image.DecompressionBombError as error:  # a decoder that allocates before it says its size
        raise UnreadableImage(f"above the cap of {MAX_PIXELS} pixels ({error})") from None
    except Exception as error:  # decoders of damaged bytes raise anything: SyntaxError, struct.error, zlib.error
        try:
            bare, exif = without_metadata(content)
            return _decode(bare, box, min_side, None, exif)
        except UnreadableImage:
            raise
        except Exception:
            reason = str(error).splitlines() or [type(error).__name__]
            raise UnreadableImage(f"damaged ({reason[0]})") from error


def prepare_image(image: Image.Image, box: Box | None = None) -> Image.Image:
    """A picture that is decoded already, as `decode_image` gives it."""
    return _to_rgb(_crop(_upright(image), box, 1, 1))


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height that an encoded picture says it has, not yet turned; nothing is decoded.

    Raises UnreadableImage when it is none.
    """
    try:
        with _open(content) as image:
            return image.size
    except UnreadableImage:
        raise
    except Exception as error:  # as in `decode_image`
        raise UnreadableImage(f"damaged ({type(error).__name__})") from error


def as_box(values: np.ndarray) -> Box | None:
    """The box in columns x, y, w, h (4,) float64 of a table; None where they are NaN."""
    return None if np.isnan(values).any() else tuple(values.tolist())


def crop_corners(size: tuple[int, int], box: Box | None) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of `box` in a picture of `size` (width, height), cut to whole pixels inside it."""
    x, y, w, h = box or (0, 0, *size)
    width, height = size
    left, right = (int(min(max(edge, 0), width)) for edge in (x, x + w))
    top, bottom = (int(min(max(edge, 0), height)) for edge in (y, y + h))
    return left, top, right, bottom


def _decode(content: bytes, box: Box | None, min_side: int, target_side: int | None, exif: bytes = b"") -> Image.Image:
    """As `decode_image`, with errors of any kind; `exif` is that of a picture which has lost its own."""
    with _open(content) as image:
        if image.width * image.height > MAX_PIXELS:
            raise UnreadableImage(f"{image.width}x{image.height} pixels, above the cap of {MAX_PIXELS}")
        if not isinstance(image.info.get("xmp", b""), bytes):  # Pillow searches it for a turn, whatever it is
            del image.info["xmp"]
        shrink = _shrink_jpeg(image, box, target_side)
        return _to_rgb(_crop(_upright(image, exif), box, shrink, min_side))


def _open(content: bytes) -> ImageFile.ImageFile:
    """The picture with its size known and nothing decoded. Raises UnreadableImage when no decoder knows the format.

    As `Image.open`, but without its check of the size, which first warns: its limit belongs to the whole process.
    """
    Image.init()
    problem = None
    for name in (HEIF,) if _takes_heic(content) else FORMATS:
        factory, accepts = Image.OPEN[name]
        try:
            if accepts is None or accepts(content[:16]) is True:
                return factory(BytesIO(content), "")
        except (SyntaxError, IndexError, TypeError, struct.error) as error:  # not this format after all, or damaged
            problem = problem or error
    if problem:
        raise problem
    raise UnreadableImage(f"not a picture in a known format ({', '.join(FORMATS)})")


def _takes_heic(content: bytes) -> bool:
    """Whether this is a HEIC. Raises UnreadableImage when it is and there is no decoder."""
    if content[4:8] != b"ftyp" or content[8:12] not in HEIC or b"avif" in content[16:64]:
        return False
    if HEIF not in Image.OPEN:
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise UnreadableImage("a HEIC, which takes pillow-heif: pip install '.[heic]'") from None
        register_heif_opener()
    return True


def _upright(image: Image.Image, exif: bytes = b"") -> Image.Image:
    image.load()  # what a PNG says of itself may come behind its pixels
    turn = turn_of(image, exif)
    if turn is None:
        return image
    turned = image.transpose(turn)
    for name in ("exif", "xmp", "XML:com.adobe.xmp"):  # Pillow hands it on: a picture would be turned once more
        turned.info.pop(name, None)
    return turned


def _shrink_jpeg(image: Image.Image, box: Box | None, target_side: int | None) -> int:
    """Let the JPEG decoder shrink the picture by the returned factor: 1, 2, 4 or 8."""
    if target_side is None or image.format not in ("JPEG", "MPO"):
        return 1
    size = image.size[::-1] if turn_of(image) in SIDEWAYS else image.size
    left, top, right, bottom = crop_corners(size, box)
    short = min(right - left, bottom - top)
    shrink = max(factor for factor in (1, 2, 4, 8) if factor == 1 or factor * target_side <= short)
    # For sizes of at least `shrink` Pillow derives exactly this factor from the size asked for.
    image.draft(None, (image.width // shrink, image.height // shrink))
    return shrink


def _crop(image: Image.Image, box: Box | None, shrink: int, min_side: int) -> Image.Image:
    left, top, right, bottom = crop_corners((image.width * shrink, image.height * shrink), box)
    width, height = right - left, bottom - top
    if box is not None and min(width, height) < 1:
        x, y, w, h = box
        size = f"{image.width * shrink}x{image.height * shrink}"
        raise UnreadableImage(f"the box {x:g}, {y:g}, {w:g}, {h:g} has nothing of the picture of {size} pixels")
    if min(width, height) < max(min_side, 1):
        raise UnreadableImage(f"{width}x{height} pixels, below {max(min_side, 1)} on a side")
    return image.crop((left // shrink, top // shrink, -(-right // shrink), -(-bottom // shrink)))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        image = _grey16_to_grey8(image)
    if image.mode == "F":
        raise UnreadableImage("floating-point pixels; save it with 8 bits a channel")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _grey16_to_grey8(image: Image.Image) -> Image.Image:
    """0..65535 to 0..255, rounded; Pillow's own conversion cuts everything above 255."""
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise UnreadableImage("32-bit pixels; save it with 8 bits a channel")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
