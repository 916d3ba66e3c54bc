"""A photo, windows, and what people do with the page in a real browser."""

import os
import shutil
from collections.abc import Callable

import pytest
from PIL import Image

from support.fake_searcher import encoded, garment

BROWSER = os.environ.get("BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STREET = Image.new("RGB", (800, 600))
STREET.paste(garment(9, (400, 600)))
STREET.paste(garment(6, (400, 600)), (400, 0))
PHOTO = encoded(STREET)
FILE = {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": PHOTO}
WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# As a file manager does it, and as other programs copy a picture.
DROP = """(content) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "street.jpg", { type: "image/jpeg" }));
  for (const name of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector("#drop").dispatchEvent(event);
  }
}"""
COPY = """async (content) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
}"""
REFUSED = "status of 422"  # what a browser says about a refusal that the page shows

MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here (Debian: apt-get install chromium; or BROWSER=path)"),
]
NO_PLAYWRIGHT = "playwright is not installed; `make browser-test` does it"


def rows(page, model: int = 1) -> list[int]:
    links = page.locator(f"section[aria-labelledby=model-{model}] a.more")
    return [
        int(href.split("/")[-1].partition("?")[0])
        for href in links.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    ]


def settled(page, heading: str = "Nearest to your photo") -> None:
    page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()
    page.locator("#results:not([aria-busy])").wait_for()


def changed(page, action: Callable[[], None]) -> list[int]:
    """What is found after `action`, which asks anew."""
    with page.expect_response(lambda response: "part=results" in response.url):
        action()
    settled(page, page.locator("h1").inner_text())
    page.wait_for_function("document.querySelector('#results').ariaBusy === null")
    return rows(page)


def pick(page) -> None:
    page.set_input_files("#file", FILE)
    settled(page)


def draw(page, left: float, top: float, right: float, bottom: float) -> None:
    """A box, in shares of the picture."""
    area = page.locator("#shown").bounding_box()
    page.mouse.move(area["x"] + left * area["width"], area["y"] + top * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + right * area["width"], area["y"] + bottom * area["height"], steps=5)
    page.mouse.up()


def box(page) -> list[int]:
    """As its fields say."""
    return [int(page.locator(f"#box-{name}").input_value()) for name in "xywh"]


def found_in(page, part: list[int]) -> list[int]:
    """What the API finds in a part of the photo."""
    sent = {"image": FILE, "box": ",".join(map(str, part))}
    (answer,) = page.request.post(page.url + "api/search", multipart=sent).json()["answers"]
    return [hit["row"] for hit in answer["hits"]]
