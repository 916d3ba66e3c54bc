"""Which of several processes speaks, writes and locks."""

import pytest

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.processes import LOCAL_RANKS, RANKS, is_first, tells_failure
from pipeline.base.progress import progress
from pipeline.base.workspace import workspace


@pytest.fixture
def launched(monkeypatch):
    def launch(**environment):
        for name in {*RANKS, *LOCAL_RANKS}:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return launch


@pytest.mark.parametrize(
    ("environment", "first", "first_here"),
    [
        ({}, True, True),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True, True),
        ({"RANK": "2", "LOCAL_RANK": "0"}, False, True),
        ({"RANK": "0", "LOCAL_RANK": "0", "SLURM_PROCID": "1", "SLURM_LOCALID": "1"}, True, True),
        ({"LOCAL_RANK": "1", "SLURM_PROCID": "0"}, False, False),
        ({"SLURM_PROCID": "3", "SLURM_LOCALID": "1"}, False, False),
    ],
)
def test_ranks_are_those_of_the_innermost_launcher(launched, environment, first, first_here):
    launched(**environment)
    assert is_first() is first
    assert tells_failure() is first_here


def test_the_first_alone_writes(launched, tmp_path):
    launched(RANK="1")
    checkpoint = Checkpoint(tmp_path / "a.pt", 0)
    assert not checkpoint.due()
    checkpoint.save({"x": 1})
    assert checkpoint.load() is None
    with workspace(tmp_path, "finetune", "aa") as folder:
        assert folder == tmp_path / "finetune/aa"
    assert progress(total=1, what="x").disable
    assert not list(tmp_path.iterdir())
    launched(RANK="0")
    with workspace(tmp_path, "finetune", "aa") as made:
        assert made == folder
        assert folder.exists()
