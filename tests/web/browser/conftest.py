"""A browser, and windows in which nothing may be complained of."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from support.browsing import ARGUMENTS, BROWSER, REFUSED, WIDE
from support.serving import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with serving("0") as (_, address):
        yield address


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address) -> Iterator[Callable[..., "Page"]]:
    """Opens an address in a window of its own. In the end nothing has been complained of, or fetched from elsewhere."""
    contexts, complaints, elsewhere = [], [], []

    def note(request: "Request") -> None:
        if not request.url.startswith((f"{address}/", f"blob:{address}/")):
            elsewhere.append(request.url)

    def open_page(path: str = "/", **options) -> "Page":
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
