"""The page in a real browser, whatever is searched: phone, no script, names, dark, still.

`SCREENSHOTS=folder make browser-test` keeps pictures of it, `PAGE=http://127.0.0.1:8000 PHOTO=file` takes them of the
page that is served there.
"""

import os
import re
from pathlib import Path

import pytest
from support.browsing import FILE, MARKS, NO_PLAYWRIGHT, PHONE, WIDE, box, changed, found_in, pick, rows, settled

pytest.importorskip("playwright.sync_api", reason=NO_PLAYWRIGHT)
pytestmark = MARKS


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
