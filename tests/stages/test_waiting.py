"""Waiting for experiments: what is made of the states that DVC's queue may show, one look after the other."""

from types import SimpleNamespace

import pytest

from stages._experiments import running
from stages._experiments.running import LOOKS, run_all


class FakeQueue:
    """A queue that shows, look after look, what it is told to, and notes what is done to it."""

    def __init__(self, *looks: tuple[str, str]) -> None:
        """Looks as (names under way, names stored), a letter each; the last one stays."""
        self.looks, self.done, self.dead = list(looks), [], []

    def under_way(self) -> dict:
        names = self.looks[0][0]
        return {name: SimpleNamespace(name=name) for name in names}

    def stored(self) -> dict:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return dict.fromkeys(look[1], "commit")

    def why(self, entry) -> str:
        return f"{entry.name} failed"

    def lost(self) -> list:
        return [SimpleNamespace(name=name) for name in (self.dead.pop(0) if self.dead else "")]

    def works(self) -> bool:
        return not any(self.dead)

    def bury(self, entry) -> None:
        self.done.append(("bury", entry.name))

    def put(self, name, overrides) -> SimpleNamespace:
        self.done.append(("put", name, *overrides))
        return SimpleNamespace(name=name)

    def start(self, jobs) -> None:
        self.done.append(("start", jobs))


def run(queue: FakeQueue, names: str) -> tuple[dict[str, str], list[str]]:
    said: list[str] = []
    return run_all(queue, {name: [f"level={name}"] for name in names}, 2, said.append), said


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(running, "TICK", 0)


def test_success_is_what_is_stored_and_failure_what_is_gone_twice():
    queue = FakeQueue(("abx", ""), ("abc", "x"), ("ac", "x"), ("c", "ax"), ("", "acx"))
    failures, said = run(queue, "abc")
    assert failures == {"b": "b failed"}
    assert said == ["a: done (1 of 3)", "b: failed (2 of 3)", "c: done (3 of 3)"]


def test_a_task_may_be_overlooked_once():
    queue = FakeQueue(("a", ""), ("", ""), ("a", ""), ("", ""), ("", "a"))
    assert run(queue, "a") == ({}, ["a: done (1 of 1)"])


def test_only_what_is_not_under_way_is_queued_after_the_lost_are_buried():
    queue = FakeQueue(("b", ""), ("", "abc"))
    queue.dead = ["ax"]
    run(queue, "abc")
    assert queue.done == [("bury", "a"), ("bury", "x"), ("put", "a", "level=a"), ("put", "c", "level=c"), ("start", 2)]


def test_what_a_dead_worker_had_is_repeated_once():
    queue = FakeQueue(*[("ab", "")] * (2 * LOOKS + 1), ("b", "b"))
    queue.dead = ["", "a", "a"]
    assert run(queue, "ab")[0] == {"a": "its worker died twice"}
    assert queue.done == [("start", 2), ("bury", "a"), ("put", "a", "level=a"), ("start", 2), ("bury", "a")]
