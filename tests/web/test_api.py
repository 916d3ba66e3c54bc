"""What programs get, by the same code as the page."""

import re

from starlette.testclient import TestClient
from support.fake_searcher import CATEGORIES, FakeSearcher, encoded, garment

from pipeline.base.errors import EngineDown
from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.service import Service


def test_search(client):
    sent = {"k": "3", "category": "dress", "colour": "0.1", "models": ["baseline", "adapted"]}
    answers = client.post("/api/search", files={"image": encoded(garment(5))}, data=sent).json()["answers"]
    assert [answer["model"] for answer in answers] == ["baseline", "adapted"]
    (first, *_), searched = answers[0]["hits"], answers[0]["searched"]
    assert searched == 50
    assert set(answers[0]["milliseconds"]) == {"decode", "embed", "search"}
    assert first | {"score": 0, "deep": 0, "colour": 0} == {
        "row": 5,
        "item": "<5>",
        "category": "dress",
        "link": "https://shop.example/5",
        "domain": "shop",
        "dataset": "drawn",
        "score": 0,
        "deep": 0,
        "colour": 0,
        "value": None,
        "picture": "/picture/5",
        "similar": "/similar/5",
    }


def test_the_last_model_answers_unless_told(client):
    (answer,) = client.post("/api/search", files={"image": encoded(garment(5))}).json()["answers"]
    assert answer["model"] == "adapted"
    assert len(answer["hits"]) == 24


def test_similar(client):
    (answer,) = client.get("/api/similar/5", params={"k": 100, "models": "baseline"}).json()["answers"]
    assert len(answer["hits"]) == 100
    assert 5 not in [hit["row"] for hit in answer["hits"]]
    assert client.get("/api/similar/5000").status_code == 404
    assert client.get("/api/similar/5000").json()["error"].startswith("row 5000: not in the index")
    for address in ("/api/similar/{}", "/similar/{}", "/picture/{}", "/picture/{}/large"):
        for digits in ("9" * 18, "9" * 19, "9" * 5000, "٣"):
            assert client.get(address.format(digits)).status_code == 404


def test_an_empty_category_has_no_hits(client):
    (answer,) = client.get("/api/similar/5", params={"category": "hat"}).json()["answers"]
    assert (answer["hits"], answer["searched"]) == ([], 0)


def test_more_than_there_is(client):
    (answer,) = client.get("/api/similar/5", params={"k": 100, "category": "dress"}).json()["answers"]
    assert len(answer["hits"]) == 49


def test_catalogue(client):
    page = client.get("/api/catalogue", params={"category": "shoe", "start": 48, "count": 10}).json()
    assert (page["total"], page["start"], [hit["row"] for hit in page["hits"]]) == (50, 48, [194, 198])
    assert client.get("/api/catalogue?category=spoon").status_code == 422
    assert client.get("/api/catalogue?start=-1").status_code == 400


def test_index(client):
    facts = client.get("/api/index").json()
    assert facts["rows"] == 200
    assert facts["models"] == ["baseline", "adapted"]
    assert facts["categories"] == dict.fromkeys(CATEGORIES, 50) | {"hat": 0}
    assert facts["colours"] is True
    assert facts["limits"] == {"upload_mb": 2, "megapixels": 10, "results": 100}


def test_an_engine_that_does_not_answer_is_no_mistake_of_the_client(caplog):
    searcher = FakeSearcher(4)
    searcher.like = down
    with TestClient(create_app(Service(lambda: searcher, lambda: 0, Limits())), "http://localhost") as client:
        for address in ("/api/similar/1", "/similar/1"):
            answer = client.get(address)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert "10.0.0.5" not in answer.text
            assert "does not answer" in answer.text
            assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [LINE]
            caplog.clear()


LINE = "Milvus at http://10.0.0.5:19530: no answer; start it"


def down(*_, **__):
    raise EngineDown(LINE)


def test_fewer_results_than_usual():
    app = create_app(Service(FakeSearcher, lambda: 0, Limits(results=5)))
    with TestClient(app, "http://localhost") as client:
        (answer,) = client.get("/api/similar/1").json()["answers"]
        assert len(answer["hits"]) == 5
        (answer,) = client.post("/api/search", files={"image": encoded(garment(5))}).json()["answers"]
        assert len(answer["hits"]) == 5
        for address in ("/", "/similar/1", "/nothing"):
            chosen = re.search(r'<select name="k">(.*?)</select>', client.get(address).text, re.DOTALL)[1]
            assert re.findall(r"<option ([^>]*)>(\d+)", chosen) == [("selected", "5")]


def test_categories_of_any_name():
    app = create_app(Service(lambda: FakeSearcher(8, names=("", "0")), lambda: 0, Limits()))
    with TestClient(app, "http://localhost") as client:
        assert client.get("/api/index").json()["categories"] == {"no category": 4, "0": 4, "hat": 0}
        for name, rows in (("no category", [0, 2, 4, 6]), ("0", [1, 3, 5, 7])):
            page = client.get("/", params={"category": name}).text
            assert f'<option value="{name}" selected>{name} (4)</option>' in page
            assert f'alt="More like this: {name}, item' in page
            hits = client.get("/api/catalogue", params={"category": name}).json()["hits"]
            assert [(hit["row"], hit["category"]) for hit in hits] == [(row, name) for row in rows]
            (answer,) = client.get("/api/similar/1", params={"category": name}).json()["answers"]
            assert {hit["row"] for hit in answer["hits"]} == set(rows) - {1}
            sent = {"files": {"image": encoded(garment(5))}, "data": {"category": name}}
            (answer,) = client.post("/api/search", **sent).json()["answers"]
            assert {hit["row"] for hit in answer["hits"]} == set(rows)
        assert client.get("/api/catalogue", params={"category": ""}).json()["total"] == 8
        assert 'alt="Your query: no category, item' in client.get("/similar/2").text


def test_mistakes_are_told_as_json(client):
    assert client.get("/api/nothing").json() == {"error": "there is no such page"}
    answer = client.get("/api/search")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_misspelt_fields_of_an_address_are_told(client):
    for address, name in (("/api/similar/5", "model"), ("/api/similar/5", "box"), ("/api/catalogue", "categories")):
        answer = client.get(address, params={name: "1,2,3,4"})
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(f"field {name!r}: unknown; known: ")
    assert client.get("/similar/5", params={"part": "photo"}).status_code == 200, "a page's address may hold more"


def test_a_box_that_cannot_be_read_is_a_bad_request(client):
    answer = client.post("/api/search", files={"image": encoded(garment(5))}, data={"box": "1,2,3"})
    assert (answer.status_code, answer.json()["error"][:5]) == (400, "box: ")
