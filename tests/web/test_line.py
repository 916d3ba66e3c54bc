"""So many at once, so many waiting; what is late is left behind."""

import asyncio
import threading
import time

import pytest

from pipeline.web.limits import Limits
from pipeline.web.line import LOST, Line
from pipeline.web.refusals import Refusal


async def _until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def test_as_many_as_told_run_and_wait():
    async def main():
        line, gate, running = Line(2, 3), threading.Event(), []

        def work():
            running.append(1)
            gate.wait(10)
            return threading.get_ident()

        tasks = [asyncio.create_task(line.run(work, 10)) for _ in range(5)]
        await _until(lambda: len(running) == 2)
        with pytest.raises(Refusal, match="busy") as refused:
            await line.run(work, 10)
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) > 0
        gate.set()
        assert len(set(await asyncio.gather(*tasks))) == 2  # threads are kept
        assert await line.run(lambda: 5, 10) == 5

    asyncio.run(main())


def test_one_that_is_late_frees_its_place():
    async def main():
        line, gate = Line(1, 0), threading.Event()
        with pytest.raises(Refusal, match="more than 0.05 s") as refused:
            await line.run(lambda: gate.wait(10), 0.05)
        assert refused.value.status == 422
        assert await line.run(lambda: 5, 10) == 5
        gate.set()

    asyncio.run(main())


def test_threads_that_are_left_behind_are_bounded():
    async def main():
        line, gate = Line(1, 5), threading.Event()
        for _ in range(LOST):
            with pytest.raises(Refusal, match="more than"):
                await line.run(lambda: gate.wait(10), 0.01)
        with pytest.raises(Refusal, match="busy"):
            await line.run(lambda: 5, 10)
        gate.set()
        await _until(lambda: not any(worker.is_alive() for worker in line._lost))
        assert await line.run(lambda: 5, 10) == 5

    asyncio.run(main())


def test_errors_come_through_and_free_the_place():
    async def main():
        line = Line(1, 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await line.run(lambda: 1 / 0, 10)
        assert await line.run(lambda: 5, 10) == 5

    asyncio.run(main())


def test_one_that_is_given_up_frees_its_place():
    async def main():
        line = Line(1, 1)
        first = asyncio.create_task(line.run(lambda: time.sleep(0.2), 10))
        second = asyncio.create_task(line.run(lambda: 5, 10))
        await asyncio.sleep(0.05)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert await line.run(lambda: 5, 10) == 5

    asyncio.run(main())


def test_limits_are_changed_by_name():
    assert Limits.of(["upload_mb=0.5", "waiting=0"]) == Limits(upload_mb=0.5, waiting=0)
    assert Limits.of([]) == Limits()
    from pipeline.base.errors import UserError

    for wrong in ("upload=1", "upload_mb", "upload_mb=", "upload_mb=-1", "waiting=1.5", "results=0", "megapixels=nan"):
        with pytest.raises(UserError, match="limit"):
            Limits.of([wrong])
