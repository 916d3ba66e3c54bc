"""Search by an attribute, as people do it in a real browser."""

import pytest
from support.browsing import MARKS, NO_PLAYWRIGHT, changed, pick, rows, settled
from support.serving import serving

pytest.importorskip("playwright.sync_api", reason=NO_PLAYWRIGHT)
pytestmark = MARKS


@pytest.fixture(scope="module")
def address():
    with serving("0", "attributes=neck,sleeve") as (_, address):
        yield address


def select(page):
    return page.get_by_role("combobox", name="Alike in")


def alike(page) -> str:
    """What the select says, and the results with it."""
    said = select(page).input_value()
    page.get_by_role("heading", level=2, name=f"adapted, alike in {said}").wait_for()
    assert page.locator("#results").get_by_text(f"{said} of <").count() == len(rows(page))
    return said


def test_what_is_alike_is_chosen_and_kept(open_page):
    page = open_page()
    pick(page)
    assert alike(page) == "neck"
    changed(page, lambda: select(page).select_option("sleeve"))
    assert alike(page) == "sleeve"
    # More like a picture that was found: by what it was found by.
    first = rows(page)[0]
    page.locator("#results a.more").first.click()
    settled(page, f"More like item <{first}>")
    assert alike(page) == "sleeve"
    assert f"/similar/{first}?like=sleeve" in page.url
    changed(page, lambda: select(page).select_option("neck"))
    assert alike(page) == "neck"
    page.go_back()
    settled(page)
    assert alike(page) == "sleeve"


def test_a_picture_of_the_catalogue_starts_with_an_attribute_of_its_own(open_page):
    page = open_page()
    page.locator('a.more[href^="/similar/1"]').first.click()  # which has no neck
    settled(page, "More like item <1>")
    assert alike(page) == "sleeve"
