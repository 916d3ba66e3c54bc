"""Whether a worker is there, which on a busy machine does not answer in time."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from stages._experiments.queue import Queue

REVISION = "5" * 40


@pytest.fixture
def process():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", REVISION]) as started:
        yield started
        started.kill()


def test_a_worker_that_does_not_answer_is_there_while_its_run_lives(process):
    entry, answers = SimpleNamespace(stash_rev=REVISION, name="run"), {}
    tasks = SimpleNamespace(proc={REVISION: process}, iter_active=lambda: iter([entry]), worker_status=lambda: answers)
    queue = Queue(SimpleNamespace(experiments=SimpleNamespace(celery_queue=tasks)))
    assert queue.works()
    assert queue.lost() == []
    process.kill()
    process.wait()
    assert not queue.works()
    assert queue.lost() == [entry]
    answers["worker"] = []
    assert queue.works()
    assert queue.lost() == []
