"""What programs get, by the same code as the page."""

from support.fake_searcher import CATEGORIES, encoded, garment


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


def test_mistakes_are_told_as_json(client):
    assert client.get("/api/nothing").json() == {"error": "there is no such page"}
    answer = client.get("/api/search")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
