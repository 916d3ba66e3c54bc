"""Whatever is sent, the answer is a picture's or one line that says why not; never a failure of the server."""

import asyncio
import struct
import sys
import warnings
import zlib

import pytest
from PIL import ExifTags, Image, TiffImagePlugin
from support.fake_searcher import encoded, garment

from pipeline.web.limits import Limits
from pipeline.web.refusals import Refusal
from pipeline.web.uploads import MAX_SCANS, Uploads, check_picture

PHOTO = garment(5)
JPEG = encoded(PHOTO)


def png(width: int, height: int) -> bytes:
    """A PNG of that size, of which almost nothing follows."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*one) for one in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 999)))
    )


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def odd_tiff() -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[34853] = 2**31  # says that more tags are there
    tags[65000] = "\0" * 5000
    return encoded(PHOTO, "TIFF", tiffinfo=tags)[:-20_000]


def many_scans(number: int = MAX_SCANS) -> bytes:
    whole = encoded(PHOTO, progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + number * last + whole[-2:]


UNUSABLE = {
    "truncated jpeg": JPEG[: len(JPEG) // 2],
    "truncated png": encoded(PHOTO, "PNG")[:600],
    "truncated gif": encoded(PHOTO, "GIF")[:300],
    "truncated webp": encoded(PHOTO, "WEBP")[:200],
    "HTML named .jpg": b"<!doctype html><script>alert(1)</script>",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "text": b"just text",
    "zeros": bytes(5000),
    "bomb of 3.6 gigapixels": png(60000, 60000),
    "above the cap": png(4000, 4000),
    "no pixels": png(0, 0),
    "no bytes after the header": JPEG[:20],
    "odd tiff": odd_tiff(),
    "many scans": many_scans(),
    "a zip": b"PK\x03\x04" + bytes(200),
}


BODY = b'--x\r\nContent-Disposition: form-data; name="a..b"\r\n\r\n1\r\n--x--\r\n'


def sent(client, content=JPEG, fields=None, name="image", filename="a.jpg", address="/api/search"):
    return client.post(address, files=[(name, (filename, content))], data=fields or {})


def refused(answer, *statuses):
    assert answer.status_code in statuses, answer.text
    error = answer.json()["error"]
    assert len(error.splitlines()) == 1
    assert "Traceback" not in error
    return error


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_is_no_picture_is_refused_in_one_line(client, kind):
    refused(sent(client, UNUSABLE[kind]), 422)
    page = sent(client, UNUSABLE[kind], address="/?part=results")
    assert page.status_code == 422
    assert page.text.startswith('<p class="error" role="alert">')


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"box": "900,900,50,50"}, "box"),
        ({"box": "1e308,1e308,1e308,1e308"}, ""),
        ({"box": "0,0,nan,5"}, "box"),
        ({"box": "0,0,0,0"}, "box"),
        ({"box": "1,2,3"}, "box"),
        ({"k": "-1"}, "k: -1 is not within 1 to 100"),
        ({"k": "0"}, "k"),
        ({"k": "101"}, "k"),
        ({"k": "9" * 400}, "k"),
        ({"k": "many"}, "k: 'many' is no whole number"),
        ({"colour": "red"}, "colour"),
        ({"colour": "nan"}, "colour"),
        ({"colour": "-1"}, "colour"),
        ({"colour": "1e308"}, "colour: 1e308 is not within 0 to 1e+06"),
        ({"category": "spoon"}, "category 'spoon'"),
        ({"models": "best"}, "model 'best'"),
        ({"like": "neckline"}, "like neckline"),
        ({"models": ["adapted", "best"]}, "model 'best'"),
        ({"wrong": "1"}, "field 'wrong': unknown; known: k, like, box, category, colour, models"),
        ({"k": ["1", "2"]}, "field 'k': given twice"),
        ({"k": "1" * 2000}, ""),
        ({f"field{number}": "1" for number in range(100)}, ""),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_one_line(client, fields, said):
    assert said in refused(sent(client, fields=fields), 400, 422)


def test_a_form_without_the_picture_is_refused(client):
    assert "no picture" in refused(client.post("/api/search", files={"k": (None, "5")}), 400)
    assert "empty" in refused(sent(client, b""), 400)
    assert "'picture'" in refused(sent(client, name="picture"), 400)
    assert "Too many files" in refused(
        client.post("/api/search", files=[("image", ("a", JPEG)), ("image", ("b", JPEG))]), 400
    )


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("image/jpeg", JPEG, 415),
        ("application/x-www-form-urlencoded", b"image=http://localhost/", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=", b"", 400),
        ("multipart/form-data; boundary=x", b"no boundary at all", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n1',
            400,
        ),
        ("multipart/form-data; boundary=x; charset=none", b"--x--", 400),
        ("multipart/form-data; boundary=x; charset=punycode", BODY, 400),
        ("multipart/form-data; boundary=x; charset=undefined", BODY, 400),
        ("multipart/form-data; boundary=" + "x" * 5000, b"--x--", 400),
        ("", b"", 415),
    ],
)
def test_another_or_a_broken_body_is_refused(client, kind, body, status):
    refused(client.post("/api/search", content=body, headers={"Content-Type": kind}), status)


def test_a_body_beyond_the_cap_is_refused_before_it_is_read(client):
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(client.post("/api/search", content=iter([b"--x\r\n", bytes(3_000_000)]), headers=kind), 413)
    refused(client.post("/api/search", content=b"", headers=kind | {"Content-Length": "3000000"}), 413)


def test_all_bodies_together_are_bounded():
    uploads = Uploads(Limits(upload_mb=1, uploads_mb=1))
    uploads._held = 999_000
    with pytest.raises(Refusal, match="busy"):
        asyncio.run(uploads.read(_Sending(JPEG)))
    assert uploads._held == 999_000


class _Sending:
    """A request as far as uploads look at it."""

    def __init__(self, body: bytes) -> None:
        self.headers, self._body = {"content-type": "multipart/form-data; boundary=x"}, body

    async def receive(self):
        return {"type": "http.request", "body": self._body}


def test_the_first_frame_of_50000_is_searched(client):
    first = encoded(PHOTO.resize((8, 8)), "GIF")
    start = first.index(b"\x2c")  # the first frame, which is repeated
    content = first[:start] + 50_000 * first[start:-1] + first[-1:]
    assert len(content) < 10_000_000
    limits = Limits()
    check_picture(content, limits.megapixels)
    answer = sent(client, content[:1_900_000])
    assert answer.status_code == 200


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_the_content_counts_and_not_the_name(client, form):
    answer = sent(
        client, encoded(PHOTO, form), filename="../../etc/passwd.exe", fields={"k": "1", "models": "baseline"}
    )
    assert answer.json()["answers"][0]["hits"][0]["row"] == 5


def test_a_picture_is_turned_as_its_exif_says_before_the_box_is_cut(client):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # as a phone held upright
    turned = encoded(garment(5).transpose(Image.Transpose.ROTATE_90), exif=exif)
    box = "60,150,180,160"
    for content in (JPEG, turned):
        answer = sent(client, content, {"box": box, "k": "1", "models": "baseline"})
        assert answer.json()["answers"][0]["hits"][0]["row"] == 5
    outside = "10,310,300,40"  # inside only where it is not turned
    refused(sent(client, turned, {"box": "310,10,40,280"}), 422)
    assert sent(client, turned, {"box": outside}).status_code == 200


def test_nothing_that_is_sent_is_stored(client, monkeypatch):
    written = []
    sys.addaudithook(lambda event, details: written.append(details[:2]) if event == "open" and watching else None)
    watching = True
    assert sent(client, encoded(PHOTO.resize((1200, 1200)), "BMP")[:1_900_000]).status_code == 422
    assert sent(client, encoded(PHOTO.resize((700, 700)), "BMP")).status_code == 200
    watching = False
    assert not [path for path, mode in written if isinstance(mode, str) and set(mode) & set("wax+")]


def of_size(jpeg: bytes, width: int, height: int) -> bytes:
    """A progressive JPEG that says it has that size."""
    at = jpeg.index(b"\xff\xc2") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def test_scans_of_usual_pictures_pass():
    for mode in ("L", "RGB", "CMYK"):
        usual = encoded(PHOTO.convert(mode), progressive=True)
        check_picture(usual, 40)
        check_picture(of_size(usual, 7300, 5470), 40)
    check_picture(JPEG, 40)
    check_picture(JPEG + 300 * b"\xff\xda\x91\x07\x33", 40)  # as in the film that some phones put behind a photo


def test_scans_of_large_pictures_are_few():
    with pytest.raises(Refusal, match="scans"):
        check_picture(of_size(many_scans(30), 7300, 5470), 40)
    check_picture(of_size(many_scans(30), 4000, 3000), 40)


def test_sizes_are_read_without_a_warning():
    """Pillow's own way warns, and its filter belongs to the whole process."""
    with warnings.catch_warnings(), pytest.raises(Refusal, match="10000x10000 pixels"):
        warnings.simplefilter("error")
        check_picture(png(10_000, 10_000), 40)


@pytest.mark.parametrize(
    "content",
    [
        b"P3\n40 40\n255\n" + 100 * b"#\n",
        b"P6\n4 4\n255\n" + bytes(48),
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 4, 4, 1, 8, 1) + bytes(1100),  # runs of bytes
    ],
    ids=["text", "ppm", "bmp"],
)
def test_what_is_decoded_in_python_is_refused(client, content):
    refused(sent(client, content), 422)
    with pytest.raises(Refusal, match="save it as JPEG or PNG"):
        check_picture(content, 40)
