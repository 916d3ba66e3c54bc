"""Pixels are read whatever stands around them, at full size and reduced."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from PIL.ExifTags import Base

from pipeline.images.decode import UnreadableImage, decode_image, load_image

TOP, REST = (200, 30, 30), (30, 30, 200)
SIZE = (160, 120)
TYPES = {
    "byte": (1, 1, b"\x06\0\0\0"),
    "ascii": (2, 2, b"6\0\0\0"),
    "two shorts": (3, 2, b"\x06\0\x06\0"),
    "none": (3, 0, b"\0\0\0\0"),
    "beyond the end": (3, 9000, b"\xff\xff\0\0"),
    "float": (11, 1, struct.pack("<f", np.nan)),
    "undefined": (7, 4, b"\x06\0\0\0"),
    "unknown": (99, 1, b"\x06\0\0\0"),
}


def exif_of(*tags: tuple[int, int, int, bytes]) -> bytes:
    """EXIF whose fields (tag, type, count, four bytes) are exactly these."""
    fields = b"".join(struct.pack("<HHI", *tag[:3]) + tag[3] for tag in tags)
    return b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, len(tags)) + fields + struct.pack("<I", 0)


def photo() -> Image.Image:
    image = Image.new("RGB", SIZE, REST)
    image.paste(TOP, (0, 0, SIZE[0], 30))
    return image


def saved(path, **options) -> bytes:
    photo().save(path, **options)
    return path.read_bytes()


def assert_read(content: bytes, *, turned: bool = False, side: int = 20) -> None:
    """As it is used later, too: reduced, and with a box."""
    for target in (None, side):
        image = decode_image(content, target_side=target)
        assert image.size[0] * SIZE[1] == image.size[1] * SIZE[0] or turned
        corner = (image.width - 3, image.height // 2) if turned else (image.width // 2, 2)
        assert np.abs(np.subtract(image.getpixel(corner), TOP)).max() < 12
        assert decode_image(content, (0, 60, 40, 40), target_side=target).getpixel((2, 2))[2] > 150


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif"])
@pytest.mark.parametrize("kind", TYPES)
def test_an_orientation_of_any_type(tmp_path, name, kind):
    exif = exif_of((Base.Orientation, *TYPES[kind]))
    if name == "a.tif":
        content = saved(tmp_path / name)  # the first field that can be spared becomes the orientation
        place = content.index(struct.pack("<HH", Base.PhotometricInterpretation, 3))
        spare = content.index(struct.pack("<HH", Base.PlanarConfiguration, 3), place)
        content = (
            content[:spare]
            + struct.pack("<HHI", Base.Orientation, *TYPES[kind][:2])
            + TYPES[kind][2]
            + content[spare + 12 :]
        )
    else:
        content = saved(tmp_path / name, exif=exif, quality=95)
    assert_read(content, turned=kind == "two shorts")  # the first of them counts


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("tag", [Base.XResolution, Base.ExifOffset, Base.GPSInfo, Base.Make, Base.ImageWidth, 0xFFFF])
@pytest.mark.parametrize("kind", TYPES)
def test_other_fields_of_any_type_beside_a_turn(tmp_path, name, tag, kind):
    fields = sorted([(Base.Orientation, 3, 1, b"\x06\0\0\0"), (tag, *TYPES[kind])])
    content = saved(tmp_path / name, exif=exif_of(*fields), quality=95)
    assert_read(content, turned=True)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
@pytest.mark.parametrize("exif", [b"", b"MM", b"II*\0\xff\xff\xff\x7f", b"nonsense" * 9])
def test_exif_that_is_none(tmp_path, name, exif):
    assert_read(saved(tmp_path / name, exif=b"Exif\0\0" + exif, quality=95))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("tag", [Base.ExifOffset, Base.GPSInfo, Base.XResolution, 700, 33723, 34377, 34675])
@pytest.mark.parametrize("kind", TYPES)
def test_fields_of_a_tiff(tmp_path, compression, tag, kind):
    content = saved(tmp_path / "a.tif", compression=compression)
    spare = content.index(struct.pack("<HH", Base.PlanarConfiguration, 3))
    assert_read(content[:spare] + exif_of((tag, *TYPES[kind]))[16:28] + content[spare + 12 :])


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)
    )


LARGE = zlib.compress(bytes(2 * PngImagePlugin.MAX_TEXT_CHUNK))
CHUNKS = {
    "compressed text": chunk(b"zTXt", b"Comment\0\0" + LARGE),
    "compressed profile": chunk(b"iCCP", b"profile\0\0" + LARGE),
    "international text": chunk(b"iTXt", b"Comment\0\1\0\0\0" + LARGE),
    "much text": 70 * chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK))),
    "wrong method": chunk(b"zTXt", b"Comment\0\7" + LARGE),
    "wrong method of a profile": chunk(b"iCCP", b"profile\0\7" + LARGE),
    "empty profile": chunk(b"iCCP", b""),
    "wrong checksum": chunk(b"tEXt", b"Comment\0x", crc=7),
    "short chunks": b"".join(
        chunk(kind, b"\0") for kind in (b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"tEXt", b"acTL", b"fcTL")
    ),
}


@pytest.mark.parametrize("place", ["before", "behind"])
@pytest.mark.parametrize("kind", CHUNKS)
def test_chunks_of_a_png(tmp_path, kind, place):
    content = saved(tmp_path / "a.png")
    at = content.index(b"IDAT" if place == "before" else b"IEND") - 4
    assert_read(content[:at] + CHUNKS[kind] + content[at:])


def test_a_turn_outlives_the_chunks(tmp_path):
    content = saved(tmp_path / "a.png", exif=exif_of((Base.Orientation, 3, 1, b"\x06\0\0\0")))
    at = content.index(b"IDAT") - 4
    assert_read(content[:at] + CHUNKS["compressed profile"] + content[at:], turned=True)


def test_transparency_and_palette_outlive_the_chunks(tmp_path):
    image = Image.new("P", (8, 8), 1)
    image.putpalette([9, 9, 9, 200, 30, 30])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.png", transparency=0)
    content = (tmp_path / "a.png").read_bytes()
    at = content.index(b"IDAT") - 4
    odd = decode_image(content[:at] + CHUNKS["compressed text"] + content[at:])
    assert (odd.getpixel((0, 0)), odd.getpixel((4, 4))) == ((255, 255, 255), TOP)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


SEGMENTS = {
    "short JFIF": segment(0xE0, b"JFIF"),
    "short Adobe": segment(0xEE, b"Adobe"),
    "profile": segment(0xE2, b"ICC_PROFILE\0\x07"),
    "several pictures": segment(0xE2, b"MPF\0II*\0\xff\xff\0\0"),
    "Photoshop": segment(0xED, b"Photoshop 3.0\08BIM"),
    "texts": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + bytes(range(256))),
    "comment": segment(0xFE, b""),
    "FlashPix": segment(0xE2, b"FPXR\0"),
}


@pytest.mark.parametrize("kind", SEGMENTS)
def test_segments_of_a_jpeg(tmp_path, kind):
    content = saved(tmp_path / "a.jpg", quality=95)
    assert_read(content[:2] + SEGMENTS[kind] + content[2:])


def test_damage_is_still_damage(tmp_path):
    content = saved(tmp_path / "a.png")
    at = content.index(b"IDAT")
    with pytest.raises(UnreadableImage, match="damaged"):
        decode_image(content[: at + 20] + b"\xff" * 40 + content[at + 60 :])


def test_a_null_byte_in_a_name(tmp_path):
    with pytest.raises(UnreadableImage, match="no name of a file"):
        load_image(tmp_path / "a\0b.jpg")


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    content = saved(tmp_path / "a.heic", quality=95)
    assert_read(content)


def test_heic_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    monkeypatch.setattr(Image, "OPEN", {name: one for name, one in Image.OPEN.items() if name != "HEIF"})
    for brand in (b"heic", b"mif1"):
        with pytest.raises(UnreadableImage, match=r"a HEIC, which takes pillow-heif: pip install '.\[heic\]'"):
            decode_image(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(40))
