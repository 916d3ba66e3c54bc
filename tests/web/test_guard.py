"""Who may ask, and what browsers are told."""

import pytest
from starlette.testclient import TestClient
from support.fake_searcher import FakeSearcher, encoded, garment

from pipeline.web.app import create_app
from pipeline.web.guard import is_any
from pipeline.web.limits import Limits
from pipeline.web.service import Service


@pytest.mark.parametrize("address", ["/", "/nothing", "/picture/1", "/static/app.css", "/api/index", "/similar/1"])
def test_every_answer_has_the_headers(client, address):
    headers = client.get(address).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("192.168.0.7", 400),
        ("[::1", 400),
        ("", 400),
    ],
)
def test_only_known_names_are_answered(client, host, status):
    answer = client.get("/api/index", headers={"Host": host})
    assert answer.status_code == status
    if status == 400:
        assert len(answer.json()["error"].splitlines()) == 1
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_names_can_be_added():
    service = Service(FakeSearcher, lambda: 0, Limits())
    with TestClient(create_app(service, ["0.0.0.0", "Shop.Example"], any_address=is_any("0.0.0.0"))) as client:
        for host, status in (("shop.example", 200), ("192.168.0.7:80", 200), ("[fe80::1]", 200), ("evil.example", 400)):
            assert client.get("/", headers={"Host": host}).status_code == status
    assert is_any("::")
    assert not is_any("127.0.0.1")
    assert not is_any("localhost")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "https://localhost"}, 200),  # behind a proxy that ends TLS
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:9000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
    ],
)
def test_pages_of_other_origins_cannot_search(client, headers, status):
    for address in ("/", "/api/search"):
        answer = client.post(address, files={"image": encoded(garment(5))}, headers=headers)
        assert answer.status_code == status
