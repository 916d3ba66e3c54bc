"""What is told of long work where no terminal shows bars."""

from time import monotonic, sleep

import pytest

from pipeline.base import progress as module
from pipeline.base.progress import lines_of_progress, progress


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(module, "EVERY", 0.05)
    monkeypatch.setattr(module, "_active", [])  # a failure that is still looked at may hold a loop of another test


def until(lines: list[str], start: str) -> str:
    deadline = monotonic() + 10
    while monotonic() < deadline:
        if found := [line for line in list(lines) if line.startswith(start)]:
            return found[-1]
        sleep(0.01)
    raise AssertionError(lines)


def test_share_and_seconds_left_are_told_of_a_loop():
    lines = []
    with lines_of_progress(lines.append):
        for number in progress(range(4), what="sew", unit="seam"):
            if number == 2:
                told = until(lines, "sew: 50 % (2 of 4 seam), ")
                assert told.endswith(" s left")


def test_of_nested_loops_the_outer_one_is_told():
    lines = []
    with lines_of_progress(lines.append), progress(what="outer", total=10, initial=3) as bar:
        bar.update(2)
        for _ in progress(range(1), what="inner"):
            assert until(lines, "outer: 50 %")
            assert not [line for line in lines if line.startswith("inner")]


def test_work_without_a_loop_is_told_too():
    lines = []
    with lines_of_progress(lines.append):
        assert until(lines, "at work for ")
        list(progress(iter([1, 2]), what="nobody knows how many"))
    count = len(lines)
    sleep(0.2)
    assert len(lines) == count, "it ends with the work"
    assert module._active == []


def test_a_loop_that_is_left_is_not_told_any_more():
    with pytest.raises(ZeroDivisionError), progress(what="sew", total=3):
        raise ZeroDivisionError
    for _ in progress(range(5), what="sew"):
        break
    lines = []
    with lines_of_progress(lines.append):
        until(lines, "at work for ")
