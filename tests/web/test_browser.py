"""The page as people use it, in a real browser. `SCREENSHOTS=folder make browser-test` keeps pictures of it,
`PAGE=http://127.0.0.1:8000 PHOTO=file` takes them of the page that is served there.
"""

import base64
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from support.fake_searcher import encoded, garment
from support.serving import serving

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed; `make browser-test` does it"
)

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

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here (Debian: apt-get install chromium; or BROWSER=path)"),
]
Open = Callable[..., "playwright.Page"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("0") as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address) -> Iterator[Open]:
    """Opens an address in a window of its own. In the end nothing has been complained of, or fetched from elsewhere."""
    contexts, complaints, elsewhere = [], [], []

    def note(request: "playwright.Request") -> None:
        if not request.url.startswith((f"{address}/", f"blob:{address}/")):
            elsewhere.append(request.url)

    def open_page(path: str = "/", **options) -> "playwright.Page":
        context = browser.new_context(**(WIDE | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text) if REFUSED not in message.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", note)
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert not elsewhere


def rows(page, model: int = 1) -> list[int]:
    links = page.locator(f"section[aria-labelledby=model-{model}] a.more")
    return [
        int(href.split("/")[-1]) for href in links.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
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


def test_pick(open_page):
    page = open_page()
    page.get_by_role("heading", name="The catalogue").wait_for()
    pick(page)
    assert page.locator("#shown").evaluate("one => [one.naturalWidth, one.naturalHeight]") == [800, 600]
    assert len(rows(page)) == 24
    assert page.get_by_role("status").filter(has_text="24 results").count() == 1
    spent = page.get_by_text(re.compile(r"^200 searched · [\d.]+ ms$")).get_attribute("title")
    assert re.fullmatch(r"decode [\d.]+ ms, embed [\d.]+ ms, search [\d.]+ ms", spent)


def test_drop(open_page):
    page = open_page()
    page.evaluate(DROP, base64.b64encode(PHOTO).decode())
    settled(page)
    assert len(rows(page)) == 24


def test_paste(open_page, address):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(COPY, base64.b64encode(encoded(garment(9), "PNG")).decode())
    page.keyboard.press("Control+V")
    settled(page)
    assert len(rows(page)) == 24


def test_a_box_searches_a_part(open_page):
    page = open_page()
    pick(page)
    whole = rows(page)
    part = changed(page, lambda: draw(page, 0.5, 0, 1, 1))
    page.get_by_text("Box in numbers").click()
    assert box(page) == pytest.approx([400, 0, 400, 600], abs=8)
    assert part == found_in(page, box(page)) != whole
    page.get_by_label("Left").fill("0")
    part = changed(page, lambda: page.keyboard.press("Tab"))
    assert part == found_in(page, box(page)) != whole
    assert changed(page, lambda: page.get_by_role("button", name="Whole picture").click()) == whole
    assert page.locator("#box").is_hidden()


def test_filter_number_and_colour(open_page):
    page = open_page()
    pick(page)
    found = changed(page, lambda: page.get_by_label("Category").select_option("dress"))
    assert {row % 4 for row in found} == {1}
    assert len(changed(page, lambda: page.get_by_role("combobox", name="Results").select_option("48"))) == 48
    score = page.locator(".score").nth(30).inner_text()
    slider = page.get_by_role("slider", name="Weight of colour")
    slider.focus()
    changed(page, lambda: page.keyboard.press("ArrowRight"))
    assert slider.input_value() == "0.05"
    assert page.locator(".slide output").inner_text() == "0.05"
    assert page.locator(".score").nth(30).inner_text() != score


def test_models_side_by_side(open_page):
    page = open_page()
    pick(page)
    alone = rows(page)
    changed(page, lambda: page.get_by_role("checkbox", name="baseline").check())
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["baseline", "adapted"]
    assert rows(page, 2) == alone != rows(page, 1)
    first, second = (page.locator(f"section[aria-labelledby=model-{n}]").bounding_box() for n in (1, 2))
    assert first["y"] == second["y"]
    changed(page, lambda: page.get_by_role("checkbox", name="adapted").uncheck())
    page.get_by_role("checkbox", name="baseline").click()  # the last one stays
    assert page.get_by_role("checkbox", name="baseline").is_checked()


def test_more_like_this_its_address_and_the_way_back(open_page, address):
    page = open_page()
    catalogue = page.inner_text("#results")
    pick(page)
    found = changed(page, lambda: page.get_by_label("Category").select_option("dress"))
    page.locator("a.more").first.focus()
    page.keyboard.press("Enter")
    settled(page, f"More like item <{found[0]}>")
    similar = rows(page)
    assert page.title() == f"More like item <{found[0]}> · Crosswear"
    assert page.url.startswith(f"{address}/similar/{found[0]}?")
    page.reload()
    assert rows(page) == similar
    assert page.get_by_label("Category").input_value() == "dress"
    page.go_back()  # the photo is gone with the page that knew it
    page.get_by_role("heading", name="The catalogue").wait_for()
    page = open_page()
    pick(page)
    found = rows(page)
    page.locator("a.more").nth(2).click()
    settled(page, f"More like item <{found[2]}>")
    page.locator("a.more").nth(1).click()
    page.wait_for_url(lambda url: f"/similar/{found[2]}" not in url)
    page.go_back()
    settled(page, f"More like item <{found[2]}>")
    page.go_back()
    settled(page)
    assert rows(page) == found
    assert page.locator("#shown").evaluate("one => one.naturalWidth") == 800
    page.go_back()
    page.get_by_role("heading", name="The catalogue").wait_for()
    assert page.inner_text("#results") == catalogue
    page.go_forward()
    settled(page)
    changed(page, lambda: page.get_by_label("Category").select_option("dress"))  # the photo is still there


def test_mistakes_are_shown(open_page):
    page = open_page()
    page.set_input_files("#file", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"})
    assert page.get_by_role("alert").inner_text() == "That is not a picture."
    page.locator("#ask").evaluate("form => (form.dataset.uploadMb = '0.001')")
    page.set_input_files("#file", FILE)
    assert page.get_by_role("alert").inner_text() == "More than 0.001 MB; choose a smaller picture."
    page.reload()
    page.set_input_files("#file", FILE | {"buffer": PHOTO[:5000]})
    page.get_by_role("alert").filter(has_text="the picture: damaged").wait_for()


def test_a_category_of_any_name_can_be_asked_for(open_page):
    page = open_page()
    pick(page)
    page.evaluate("document.querySelector('[name=category]').append(new Option('0'))")
    page.get_by_label("Category").select_option("0")
    page.get_by_role("alert").filter(has_text="category '0'").wait_for()


def test_pictures_of_a_query_are_kept_by_browsers(open_page):
    page = open_page()
    with page.expect_request("**/large*") as asked:
        page.locator("a.more").nth(5).click()
    tag = page.locator("a.more img").nth(5).get_attribute("src").split("?")[1]
    assert asked.value.url.endswith(f"/picture/5/large?{tag}")
    assert "immutable" in asked.value.response().headers["cache-control"]


COUNT = """() => {
  window.held = new Set();
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (one) => { const url = createObjectURL(one); held.add(url); return url; };
  URL.revokeObjectURL = (url) => { held.delete(url); revokeObjectURL(url); };
}"""


def test_photos_are_kept_up_to_a_number(open_page):
    page = open_page()
    page.evaluate(COUNT)
    for _ in range(60):
        page.evaluate(DROP, base64.b64encode(PHOTO).decode())
    settled(page)
    assert page.evaluate("held.size") == 50
    page.evaluate("history.go(-40)")
    page.wait_for_function("document.querySelector('#shown').src === [...held][9]")
    assert page.locator("#shown").evaluate("one => one.decode().then(() => one.naturalWidth)") == 800


def test_phone(open_page):
    page = open_page(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_text("Take a photo").is_visible()
    assert page.locator("#camera").get_attribute("capture") == "environment"
    page.set_input_files("#camera", FILE)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    area = page.locator("#shown").bounding_box()
    touch = page.context.new_cdp_session(page)

    def drag() -> None:
        for kind, share in (("touchStart", 0.3), ("touchMove", 0.5), ("touchMove", 0.7), ("touchEnd", None)):
            point = {"x": area["x"] + (share or 0) * area["width"], "y": area["y"] + (share or 0) * area["height"]}
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point] if share else []})
            page.wait_for_timeout(80)  # as slow as a finger: after a fling a tap only stops it

    assert changed(page, drag) == found_in(page, box(page))
    page.locator("a.more").first.tap()
    page.wait_for_url("**/similar/*")


def test_without_a_script(open_page):
    page = open_page(java_script_enabled=False)
    page.set_input_files("#file", FILE)
    page.get_by_role("button", name="Search with the photo").click()
    settled(page)
    page.locator("a.more").first.click()
    page.get_by_label("Category").select_option("dress")
    page.get_by_role("button", name="Apply").click()
    assert {row % 4 for row in rows(page)} == {1}


NAMED = ("button", "link", "img", "checkbox", "combobox", "slider", "spinbutton", "region", "form", "heading")


def test_everything_has_a_name(open_page):
    page = open_page()
    pick(page)
    page.get_by_text("Box in numbers").click()
    tree = page.locator("body").aria_snapshot()
    for line in tree.splitlines():
        role = re.match(rf"\s*- '?({'|'.join(NAMED)})\b(.*)", line)
        assert role is None or '"' in role[2], line
    for name in ("Choose a photo", "Category", "Weight of colour", "Your query", "baseline", "Results"):
        assert name in tree


def test_dark_and_still(open_page):
    page = open_page(color_scheme="dark", reduced_motion="reduce")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground))) < 60
    assert page.locator("#drop").evaluate("one => getComputedStyle(one).transitionDuration") == "0s"


SHIFT = """() => new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((entry) => (sum += entry.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


def test_nothing_moves_when_pictures_come(open_page):
    page = open_page()
    page.wait_for_load_state("networkidle")
    shift = page.evaluate(SHIFT)
    assert shift < 0.01


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="set SCREENSHOTS to a folder")
@pytest.mark.parametrize(("name", "options"), [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", PHONE)])
def test_screenshots(browser, address, name, options):
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    page = browser.new_context(**(WIDE | options)).new_page()
    page.goto(os.environ.get("PAGE", address))
    page.set_input_files("#file", os.environ.get("PHOTO", FILE))
    settled(page)
    first = page.locator("[name=models]").first
    if name != "phone" and not first.is_checked():
        changed(page, first.check)
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=folder / f"page_{name}.jpg", type="jpeg", quality=80)
    page.context.close()
