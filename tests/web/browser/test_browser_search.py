"""Searching, as people do it in a real browser: pick, drop, paste, box, filter, models, the way back."""

import base64
import re

import pytest
from support.browsing import (
    COPY,
    DROP,
    FILE,
    MARKS,
    NO_PLAYWRIGHT,
    PHOTO,
    box,
    changed,
    draw,
    found_in,
    pick,
    rows,
    settled,
)
from support.fake_searcher import encoded, garment

pytest.importorskip("playwright.sync_api", reason=NO_PLAYWRIGHT)
pytestmark = MARKS


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
