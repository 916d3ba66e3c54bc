"""A new index takes the place of the one that is served, and nobody notices."""

import gc
import re
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient
from support.fake_searcher import FakeSearcher, encoded, garment

from pipeline.base.errors import UserError
from pipeline.web import service as service_module
from pipeline.web.app import create_app
from pipeline.web.limits import Limits
from pipeline.web.service import Service


class Folder:
    """Stands for the folder of an index: `now` is what lies there."""

    def __init__(self) -> None:
        self.mark, self.now = 1, FakeSearcher(100)

    def put(self, now) -> None:
        self.now, self.mark = now, self.mark + 1

    def load(self):
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    def stamp(self) -> int:
        if self.now is None:
            raise UserError("no index here")
        return self.mark


@pytest.fixture
def served(monkeypatch):
    monkeypatch.setattr(service_module, "LOOK_SECONDS", 0.02)
    folder, said = Folder(), []
    with TestClient(
        create_app(Service(folder.load, folder.stamp, Limits(), said.append)), "http://localhost"
    ) as client:
        yield folder, said, client


def wait_for(condition) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def rows(client) -> int:
    return client.get("/api/index").json()["rows"]


def test_a_new_index_is_served(served):
    folder, said, client = served
    before = client.get("/").text
    folder.put(FakeSearcher(50))
    wait_for(lambda: rows(client) == 50)
    assert said == ["the index has changed: 50 pictures"]
    tag = before.split("/picture/1?v=")[1].split('"')[0]
    assert f"v={tag}" not in client.get("/").text  # browsers keep no picture of the former one


def test_one_that_is_broken_is_told_once_and_the_former_stays(served):
    folder, said, client = served
    for broken in (UserError("data/index: damaged index"), RuntimeError("anything")):
        folder.put(broken)
        wait_for(lambda: said)
        time.sleep(0.2)
        assert said == [f"the new index is not served, the former one stays: {broken}"]
        assert rows(client) == 100
        said.clear()
    folder.put(FakeSearcher(50))
    wait_for(lambda: rows(client) == 50)


def test_one_that_is_broken_is_tried_again_in_silence(served, monkeypatch):
    monkeypatch.setattr(service_module, "RETRY_SECONDS", 0.1)
    folder, said, client = served
    folder.put(UserError("out of memory"))
    wait_for(lambda: said)
    time.sleep(0.3)
    assert len(said) == 1
    folder.now = FakeSearcher(50)  # the same index, which can be read now
    wait_for(lambda: rows(client) == 50)


def test_the_former_one_is_gone_at_once(served):
    folder, _, client = served
    former = weakref.ref(folder.now)
    gc.disable()  # which would find it later
    try:
        client.get("/picture/1")
        client.post("/api/search", files={"image": encoded(garment(5))})
        assert client.get("/similar/1").status_code == 200
        assert client.get("/similar/1?category=spoon").status_code == 422
        folder.put(FakeSearcher(50))
        wait_for(lambda: rows(client) == 50)
        assert former() is None
    finally:
        gc.enable()


def test_one_that_is_gone_for_a_while_is_waited_for(served):
    folder, said, client = served
    folder.now = None
    time.sleep(0.2)
    assert rows(client) == 100
    assert not said
    folder.put(FakeSearcher(50))
    wait_for(lambda: rows(client) == 50)


def test_a_search_under_way_ends_on_the_index_it_began_with(served):
    folder, said, client = served
    folder.put(FakeSearcher(100, delay=0.5))
    wait_for(lambda: said)

    def search() -> int:
        answer = client.post("/api/search", files={"image": encoded(garment(5))})
        return answer.json()["answers"][0]["searched"]

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(search)
        time.sleep(0.1)
        folder.put(FakeSearcher(50))
        wait_for(lambda: rows(client) == 50)
        assert asked.result() == 100
    assert search() == 50


def test_a_page_is_of_one_index(served):
    folder, said, client = served
    folder.put(FakeSearcher(100, delay=0.5))
    wait_for(lambda: said)
    (tag,) = set(re.findall(r"\?v=(\w+)", client.get("/").text))
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(client.post, "/", files={"image": encoded(garment(5))})
        time.sleep(0.1)
        folder.put(FakeSearcher(50))
        wait_for(lambda: rows(client) == 50)
        page = asked.result().text
    assert set(re.findall(r"\?v=(\w+)", page)) == {tag}
    assert "100 pictures" in page
