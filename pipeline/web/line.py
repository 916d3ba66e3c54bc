"""A bounded queue before what is slow: so many at once, so many waiting, the others are told to come again."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from pipeline.web.refusals import Refusal, busy

Result = TypeVar("Result")
LOST = 8  # threads still at work that nobody waits for


class Late(Refusal):
    """Work that took too long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(422, f"the search took more than {seconds:g} s; send a smaller picture")


class Line:
    """Runs functions in threads, `at_once` of them; up to `waiting` wait for their turn."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._room, self._waiting = waiting, 0
        self._idle: list[_Worker] = []
        self._lost: list[_Worker] = []

    async def run(self, work: Callable[[], Result], seconds: float) -> Result:
        """What `work` gives. Raises Refusal (503) when too many wait, Late after `seconds` of work."""
        self._lost = [worker for worker in self._lost if worker.is_alive()]
        if len(self._lost) >= LOST or (self._turns.locked() and self._waiting >= self._room):
            raise busy()
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        worker = self._idle.pop() if self._idle else _Worker()
        done = worker.do(work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(done), seconds)
        except TimeoutError:
            raise Late(seconds) from None
        finally:
            # A thread cannot be stopped: one that is late is replaced, and ends when it comes to an end.
            if done.done():
                self._idle.append(worker)
            else:
                worker.dismiss()
                self._lost.append(worker)
            self._turns.release()


class _Worker(Thread):
    """A thread that does one thing after another. It does not keep the process alive, as those of a pool do."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._tasks: SimpleQueue = SimpleQueue()
        self.start()

    def do(self, work: Callable[[], Any]) -> Future:
        done: Future = Future()
        done.set_running_or_notify_cancel()  # from here on who waits for it cannot cancel it
        self._tasks.put((work, done))
        return done

    def dismiss(self) -> None:
        self._tasks.put(None)

    def run(self) -> None:
        while (task := self._tasks.get()) is not None:
            work, done = task
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)
            del task, work, done  # or the picture stays until the next one comes
