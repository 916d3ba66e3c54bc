"""What people see, without a script."""

import re
import time
from html import unescape
from io import BytesIO

import pytest
from PIL import Image
from starlette.testclient import TestClient
from support.fake_searcher import GONE, SCRIPT_LINK, FakeSearcher, encoded, garment

from pipeline.web import service as service_module
from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.service import Service


def tiles(html: str) -> list[int]:
    return [int(row) for row in re.findall(r'class="more" href="/similar/(\d+)"', html)]


def test_the_catalogue_is_shown_until_something_is_asked(client):
    first = client.get("/").text
    assert tiles(first) == list(range(60))
    assert "1 to 60 of 200" in first
    assert "Earlier" not in first
    after = unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])
    assert tiles(client.get(after).text) == list(range(60, 120))
    last = client.get("/", params={"start": 180}).text
    assert tiles(last) == list(range(180, 200))
    assert "Further" not in last


def test_a_category_of_the_catalogue(client):
    page = client.get("/", params={"category": "shirt & top"}).text
    assert tiles(page) == list(range(3, 200, 4))
    assert '<option value="shirt &amp; top" selected>' in page
    assert "Nothing to show" in client.get("/", params={"category": "hat"}).text


def test_the_form_works_without_a_script(client):
    page = client.post(
        "/", files={"image": encoded(garment(5))}, data={"k": "12", "models": ["baseline", "adapted"]}
    ).text
    assert page.startswith("<!doctype html>")
    shown = tiles(page)
    assert len(shown) == 24
    assert shown[0] == 5
    assert re.findall(r'<h2 id="model-\d">(\w+)', page) == ["baseline", "adapted"]
    assert "decode" in page


def test_a_part_is_what_the_script_puts_in(client):
    part = client.post("/?part=results", files={"image": encoded(garment(5))}).text
    assert "<html" not in part
    assert len(tiles(part)) == 24
    assert 'data-said="24 results"' in part


def test_more_like_a_picture_has_an_address(client):
    page = client.get("/similar/7", params={"k": "12", "colour": "0.1", "category": "dress", "utm_source": "mail"})
    assert page.status_code == 200
    assert 7 not in tiles(page.text)
    assert len(tiles(page.text)) == 12
    assert 'value="0.1"' in page.text
    assert "More like item &lt;7&gt;" in page.text
    assert 'src="/picture/7/large?v=' in page.text
    assert client.get("/similar/7000").status_code == 404
    assert client.get(f"/similar/{10**30}").status_code == 404
    assert client.get("/similar/-1").status_code == 404


def test_only_links_of_the_web_are_links(client):
    page = client.get("/").text
    assert "javascript:" not in page
    assert f"&lt;{SCRIPT_LINK}&gt;" in page
    assert '<a class="item" href="https://shop.example/1" rel="noopener noreferrer"' in page


def test_pictures_are_served_by_their_number_alone(client):
    answer = client.get("/picture/5")
    picture = Image.open(BytesIO(answer.content))
    assert (picture.format, max(picture.size)) == ("JPEG", 360)
    assert client.get("/picture/7000").status_code == 404
    for address in (
        "/picture/../secret",
        "/picture/..%2f..%2fetc%2fpasswd",
        "/picture/secret/5.jpg",
        "/picture/5/huge",
    ):
        assert client.get(address).status_code == 404, address
    for address in ("/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "//etc/passwd"):
        assert client.get(address).status_code == 404, address
    assert "secret" not in client.get("/").text


def test_pictures_are_kept_by_browsers_as_long_as_the_index_is_the_same(client):
    address = re.search(r'src="(/picture/5\?v=\w+)"', client.get("/").text)[1]
    assert "immutable" in client.get(address).headers["Cache-Control"]
    assert client.get("/picture/5?v=other").headers["Cache-Control"] == "no-cache"


def test_a_picture_that_is_gone_has_a_placeholder(client):
    answer = client.get(f"/picture/{GONE}")
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_picture_that_takes_too_long_has_one_too(monkeypatch):
    monkeypatch.setattr(service_module, "PICTURE_SECONDS", 0.05)
    searcher = FakeSearcher(4)
    searcher.picture = lambda *_: time.sleep(0.5)
    with TestClient(create_app(Service(lambda: searcher, lambda: 0, Limits())), "http://localhost") as client:
        answer = client.get("/picture/1")
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_index_without_colours_says_so():
    app = create_app(Service(lambda: FakeSearcher(4, colour=False), lambda: 0, Limits()))
    with TestClient(app, "http://localhost") as client:
        page = client.get("/").text
        assert "This index has no colours." in page
        assert re.search(r'<input id="colour"[^>]+disabled', page)
        assert client.get("/similar/1?colour=0.1").status_code == 422


@pytest.mark.parametrize(("address", "status"), [("/nothing", 404), ("/?category=spoon", 422), ("/?start=x", 400)])
def test_mistakes_are_told_on_a_page(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert answer.text.startswith("<!doctype html>")


def test_a_failure_of_the_server_is_one_line():
    searcher = FakeSearcher(4)
    searcher.like = None
    with TestClient(create_app(Service(lambda: searcher, lambda: 0, Limits())), "http://localhost", False) as client:
        answer = client.get("/api/similar/1")
        assert answer.status_code == 500
        assert answer.json() == {"error": "the server failed; its log says why"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
