"""Waiting for experiments: what is made of the states that DVC's queue may show, one look after the other."""

import pytest

from stages._experiments import runs as experiments
from stages._experiments.runs import FAILED, QUEUED, RUNNING, SUCCESS, Queue, Task
from stages._experiments.waiting import PATIENCE, Watch, find_task, put_into_queue


class FakeQueue:
    """A queue that shows what it is told to, and notes what is done to it."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.active = 0
        self.stored: dict[str, str] = {}
        self.done: list[tuple] = []

    def show(self, *tasks: tuple[str, str], active: int = 0) -> None:
        """Tasks as (name, status)."""
        self.tasks = [Task(f"{number:07x}", *task) for number, task in enumerate(tasks)]
        self.active = active


@pytest.fixture
def fake(monkeypatch) -> FakeQueue:
    made = FakeQueue()
    monkeypatch.setattr(experiments, "queue", lambda: Queue(made.tasks, made.active, 0))
    monkeypatch.setattr(experiments, "finished", lambda: made.stored)
    monkeypatch.setattr(experiments, "failure", lambda task: f"{task.rev} failed")
    for name in ("enqueue", "forget", "start_workers"):
        monkeypatch.setattr(experiments, name, lambda *arguments, name=name: made.done.append((name, *arguments)))
    return made


def watch_of(*names: str) -> Watch:
    return Watch({name: [f"level={name}"] for name in names}, jobs=2)


def test_success_is_what_is_stored_and_failure_what_the_queue_says(fake):
    watch = watch_of("a", "b", "c", "d")
    fake.show(("a", RUNNING), ("b", FAILED), ("c", SUCCESS), ("d", QUEUED), ("other", FAILED), active=1)
    fake.stored = {"a": "commit", "other": "commit"}
    # c has run, but its experiment was not stored.
    assert watch.look() == {"a": None, "b": "0000001 failed", "c": "0000002 failed"}
    assert fake.done == []


def test_a_task_may_be_overlooked_once(fake):
    watch = watch_of("a")
    fake.show(active=1)
    assert watch.look() == {}
    assert watch.look() == {"a": "was taken out of the queue"}


def test_dead_workers_are_replaced_and_their_task_is_repeated_once(fake):
    watch = watch_of("a", "b")
    fake.show(("a", RUNNING), ("b", QUEUED))
    for _ in range(PATIENCE - 1):
        assert watch.look() == {}
    assert fake.done == []
    assert watch.look() == {}
    lost = fake.tasks[0]
    assert fake.done == [("forget", lost), ("enqueue", "a", ["level=a"]), ("start_workers", 2)]
    for _ in range(PATIENCE - 1):
        watch.look()
    assert watch.look() == {"a": "its worker died twice"}
    assert [done[0] for done in fake.done[3:]] == ["forget", "start_workers"]


def test_a_worker_that_answers_late_is_not_taken_for_dead(fake):
    watch = watch_of("a")
    for _ in range(PATIENCE):
        for active in (0, 0, 1):
            fake.show(("a", RUNNING), active=active)
            assert watch.look() == {}
    assert fake.done == []


def test_only_what_is_not_in_the_queue_is_queued_and_old_attempts_go(fake):
    fake.show(("a", QUEUED), ("b", RUNNING), ("c", FAILED), ("c", FAILED), ("d", FAILED), ("d", RUNNING), ("x", FAILED))
    assert find_task(Queue(fake.tasks, 0, 0), "d").status == RUNNING
    put_into_queue({name: [name] for name in "abcde"})
    assert fake.done == [
        ("forget", fake.tasks[2]),
        ("forget", fake.tasks[3]),
        ("enqueue", "c", ["c"]),
        ("enqueue", "e", ["e"]),
    ]
