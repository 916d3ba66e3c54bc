"""Every kind of picture that people have, good and bad, written by Pillow and read back."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from support.project import PROJECT

from pipeline.images import decode
from pipeline.images.decode import UnreadableImage, crop_corners, load_image
from pipeline.table.inspect import inspect_images

RED, GREEN, WHITE = (255, 0, 0), (0, 128, 0), (255, 255, 255)


def photo(width: int = 400, height: int = 300) -> Image.Image:
    """A smooth picture that JPEG keeps well: brightness grows to the right in red, downwards in green."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


def halves(mode: str = "RGB") -> Image.Image:
    """40 x 20, left half red, right half green."""
    image = Image.new("RGB", (40, 20), GREEN)
    image.paste(RED, (0, 0, 20, 20))
    return image.convert(mode)


def saved(folder: Path, image: Image.Image, name: str, **options) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def load_saved(folder: Path, image: Image.Image, name: str, **options) -> Image.Image:
    loaded = load_image(saved(folder, image, name, **options))
    assert loaded.mode == "RGB"
    return loaded


def assert_near(image: Image.Image, expected: Image.Image, tolerance: float = 8) -> None:
    assert image.size == expected.size
    difference = np.abs(np.asarray(image, dtype=int) - np.asarray(expected.convert("RGB"), dtype=int))
    assert difference.mean() < tolerance


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.jpg", {}),
        ("progressive.jpg", {"progressive": True}),
        ("plain.png", {}),
        ("plain.webp", {}),
        ("plain.avif", {}),
        ("stereo.mpo", {"save_all": True, "append_images": [Image.new("RGB", (400, 300))]}),
        ("plain.bmp", {}),
        ("plain.tif", {"compression": "tiff_lzw"}),
        ("plain.ppm", {}),
    ],
)
def test_formats(tmp_path, name, options):
    assert_near(load_saved(tmp_path, photo(), name, **options), photo(), 3)


@pytest.mark.parametrize("name", ["white.jpg", "white.tif"])
def test_cmyk_white_is_white_and_colours_survive(tmp_path, name):
    assert load_saved(tmp_path, Image.new("CMYK", (8, 8), (0, 0, 0, 0)), name).getpixel((4, 4)) == WHITE
    assert_near(load_saved(tmp_path, photo().convert("CMYK"), name), photo(), 4)


@pytest.mark.parametrize("name", ["grey.png", "grey.tif", "grey.pgm"])
def test_16_bit_grey_is_scaled_not_clipped(tmp_path, name):
    values = np.array([[0, 256, 32768, 65535]], dtype=np.uint16).repeat(2, axis=0)
    loaded = load_saved(tmp_path, Image.fromarray(values), name)
    assert [loaded.getpixel((x, 0)) for x in range(4)] == [(v, v, v) for v in (0, 1, 128, 255)]


def test_greyscale_and_bilevel(tmp_path):
    assert load_saved(tmp_path, Image.new("L", (4, 4), 77), "grey.png").getpixel((1, 1)) == (77, 77, 77)
    assert load_saved(tmp_path, Image.new("1", (4, 4), 1), "line.png").getpixel((1, 1)) == WHITE


def test_transparency_is_shown_on_white(tmp_path):
    clear = load_saved(tmp_path, Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "clear.png")
    half = load_saved(tmp_path, Image.new("RGBA", (4, 4), (255, 0, 0, 128)), "half.png")
    grey = load_saved(tmp_path, Image.new("LA", (4, 4), (0, 0)), "grey.png")
    assert clear.getpixel((0, 0)) == grey.getpixel((0, 0)) == WHITE
    assert half.getpixel((0, 0)) == (255, 127, 127)


def test_palette_with_a_transparent_colour(tmp_path):
    image = halves().quantize(2)
    loaded = load_saved(tmp_path, image, "palette.png", transparency=image.getpixel((0, 0)))
    assert (loaded.getpixel((5, 5)), loaded.getpixel((35, 5))) == (WHITE, GREEN)
    assert load_saved(tmp_path, image, "opaque.png").getpixel((5, 5)) == RED


def test_animated_gif_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (6, 6), colour) for colour in (RED, GREEN, WHITE)]
    loaded = load_saved(tmp_path, frames[0], "moving.gif", save_all=True, append_images=frames[1:])
    assert loaded.getpixel((3, 3)) == RED


@pytest.mark.parametrize("name", ["phone.jpg", "phone.png", "phone.tif", "phone.webp"])
@pytest.mark.parametrize(("orientation", "red_corner"), [(1, "left"), (3, "right"), (6, "top"), (8, "bottom")])
def test_exif_orientation_is_applied(tmp_path, name, orientation, red_corner):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    loaded = load_saved(tmp_path, halves(), name, exif=exif.tobytes())
    assert loaded.size == ((20, 40) if orientation > 4 else (40, 20))
    red, _, _ = loaded.split()
    reds = np.asarray(red) > 128
    side = {"left": reds[:, :15], "right": reds[:, -15:], "top": reds[:15], "bottom": reds[-15:]}
    assert side[red_corner].all()
    assert reds.mean() == pytest.approx(0.5, abs=0.05)


def test_box_is_cut_from_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    path = saved(tmp_path, halves(), "phone.png", exif=exif.tobytes())  # upright: 20 x 40, red on top
    assert np.array_equal(load_image(path, (0, 20, 20, 20)), np.full((20, 20, 3), GREEN))
    assert np.array_equal(load_image(path, (0, 0, 20, 20)), np.full((20, 20, 3), RED))


def test_box_corners_are_truncated_and_clipped():
    assert crop_corners((40, 20), None) == (0, 0, 40, 20)
    assert crop_corners((40, 20), (1.9, 2.9, 10.2, 5.0)) == (1, 2, 12, 7)
    assert crop_corners((40, 20), (-5, -5, 100, 10)) == (0, 0, 40, 5)


@pytest.mark.parametrize("box", [None, (40.0, 60.0, 640.0, 480.0), (700.0, 500.0, 400.0, 400.0)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_small_target_gives_nearly_the_same_picture(tmp_path, box, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = saved(tmp_path, photo(1203, 901), "large.jpg", exif=exif.tobytes(), quality=90)
    full, fast = load_image(path, box), load_image(path, box, target_side=48)
    assert 48 <= min(fast.size) < min(full.size) / 1.9
    assert_near(fast.resize((48, 48)), full.resize((48, 48)), 4)
    assert fast.tobytes() == load_image(path, box, target_side=48).tobytes()


def test_target_larger_than_the_crop_changes_nothing(tmp_path):
    path = saved(tmp_path, photo(), "photo.jpg")
    assert load_image(path, (10, 10, 50, 60), target_side=64).tobytes() == load_image(path, (10, 10, 50, 60)).tobytes()


def png_claiming(width: int, height: int) -> bytes:
    """A well-formed PNG header of any size with no pixels behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize("side", [10_001, 13_500, 60_000])  # Pillow itself passes the first and warns at the second
def test_decompression_bomb(tmp_path, side, recwarn):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_claiming(side, side))
    with pytest.raises(UnreadableImage, match=f"{side}x{side} pixels, above the cap of {decode.MAX_PIXELS}"):
        load_image(path)
    assert not recwarn


def test_a_claim_beyond_what_a_decoder_allocates(tmp_path):
    # WebP's decoder makes room for the whole canvas at once, so Pillow asks its limit before.
    canvas = struct.pack("<BBBB", 0, 0, 0, 0) + struct.pack("<I", 16382)[:3] + struct.pack("<I", 16382)[:3]
    chunk = b"VP8X" + struct.pack("<I", len(canvas)) + canvas
    path = tmp_path / "bomb.webp"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk)
    with pytest.raises(UnreadableImage, match=f"above the cap of {decode.MAX_PIXELS} pixels"):
        load_image(path)


def test_limits_of_others_are_left_alone(tmp_path, monkeypatch, recwarn):
    code = "from PIL import Image; before = Image.MAX_IMAGE_PIXELS; import pipeline.images.decode\n"
    code += "assert before is not None; assert Image.MAX_IMAGE_PIXELS == before"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
    path = saved(tmp_path, photo(), "photo.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # somebody else's, who opens nothing large
    assert load_image(path, (0, 0, 20, 20)).size == (20, 20)
    assert Image.MAX_IMAGE_PIXELS == 1000
    assert not recwarn
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)


@pytest.mark.parametrize("name", ["cut.jpg", "cut.png", "cut.gif", "cut.webp", "cut.tif", "cut.bmp"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(tmp_path, name, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    path = saved(tmp_path, noise, name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableImage) as error:
        load_image(path)
    assert "\n" not in str(error.value)


def test_empty_foreign_missing_and_folder(tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "folder.jpg").mkdir()
    for name, reason in [("empty", "empty file"), ("page", "not a picture"), ("none", "no such"), ("folder", "is a d")]:
        with pytest.raises(UnreadableImage, match=reason):
            load_image(tmp_path / f"{name}.jpg")


def test_postscript_is_not_run(tmp_path):
    with pytest.raises(UnreadableImage, match="not a picture in a known format"):
        load_image(saved(tmp_path, halves(), "drawing.eps"))


def test_too_small_and_empty_crop(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (1, 1)), "dot.png")
    assert load_image(path).size == (1, 1)
    with pytest.raises(UnreadableImage, match="1x1 pixels, below 8 on a side"):
        load_image(path, min_side=8)
    with pytest.raises(UnreadableImage, match="has nothing of the picture of 1x1 pixels"):
        load_image(path, (5, 0, 3, 3))


def test_pixels_beyond_16_bits_are_refused_not_clipped(tmp_path):
    for values in (np.full((2, 2), 0.5, dtype=np.float32), np.full((2, 2), 70_000, dtype=np.int32)):
        with pytest.raises(UnreadableImage, match="save it with 8 bits a channel"):
            load_image(saved(tmp_path, Image.fromarray(values), "deep.tif"))


@pytest.mark.parametrize("workers", [0, 3])
def test_inspection_keeps_the_order_and_the_reasons(tmp_path, workers):
    good, small = saved(tmp_path, photo(), "good.jpg"), saved(tmp_path, Image.new("RGB", (3, 9)), "small.png")
    first, second, third, again = inspect_images(
        [good, tmp_path / "none.jpg", small, good], min_side=8, workers=workers
    )
    assert (first.width, first.height, first.problem) == (400, 300, "")
    assert len(first.digest) == 32
    assert again == first
    assert second.problem == "no such file or directory"
    assert third.problem == "3x9 pixels, below 8 on a side"
