"""An index by attributes, to programs and on the page."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from support.fake_searcher import FakeSearcher, encoded, garment

from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.service import Service

NAMES = ("neckline", "trim & hem")


@pytest.fixture(scope="module")
def by_attributes() -> Iterator[TestClient]:
    service = Service(lambda: FakeSearcher(40, models=("baseline",), attributes=NAMES), lambda: 0, Limits())
    with TestClient(create_app(service), "http://localhost") as client:
        yield client


def photo() -> dict:
    return {"image": encoded(garment(5))}


def test_programs_are_told_the_attributes_and_name_one_or_more(by_attributes):
    assert by_attributes.get("/api/index").json()["attributes"] == list(NAMES)
    sent = by_attributes.post("/api/search", files=photo(), data={"like": NAMES, "k": "2"})
    answers = sent.json()["answers"]
    assert [(answer["attribute"], answer["model"]) for answer in answers] == [(name, "baseline") for name in NAMES]
    assert [answer["hits"][0]["value"] for answer in answers] == ["neckline of <5>", "trim & hem of <5>"]
    (answer,) = by_attributes.get("/api/similar/5", params={"like": "neckline"}).json()["answers"]
    assert answer["attribute"] == "neckline"


def test_programs_that_name_none_or_another_are_told_the_known_ones(by_attributes):
    for sent in (
        by_attributes.post("/api/search", files=photo()),
        by_attributes.post("/api/search", files=photo(), data={"like": "neck"}),
        by_attributes.get("/api/similar/5"),
    ):
        assert sent.status_code == 422
        assert "known: neckline, trim & hem" in sent.json()["error"]


def chosen(html: str) -> list[str]:
    select = re.search(r'<select name="like">(.*?)</select>', html, re.DOTALL)[1]
    return re.findall(r'<option value="[^"]*" selected>([^<]*)<', select)


def test_people_choose_one_which_is_the_first_at_first(by_attributes):
    page = by_attributes.post("/", files=photo()).text
    assert chosen(page) == ["neckline"]
    assert "baseline, alike in neckline</h2>" in page
    assert 'data-like="neckline"' in page
    assert "neckline of &lt;5&gt;" in page
    page = by_attributes.post("/", files=photo(), data={"like": NAMES[1]}).text
    assert chosen(page) == ["trim &amp; hem"]
    further = re.search(r'class="more" href="([^"]+)"', page)[1]
    assert further == "/similar/5?like=trim%20%26%20hem"
    assert chosen(by_attributes.get(further).text) == ["trim &amp; hem"]


def test_a_picture_of_the_catalogue_starts_with_the_first_that_it_has(by_attributes):
    assert 'href="/similar/5"' in by_attributes.get("/").text
    assert chosen(by_attributes.get("/similar/4").text) == ["neckline"]
    assert chosen(by_attributes.get("/similar/5").text) == ["trim &amp; hem"]


def test_other_indexes_have_nothing_to_choose(client):
    assert "data-like" not in client.get("/similar/5").text
    assert 'name="like"' not in client.get("/").text
    assert client.get("/api/index").json()["attributes"] == []
    (answer,) = client.get("/api/similar/5").json()["answers"]
    assert answer["attribute"] is None
