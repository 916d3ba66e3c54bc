"""Which of several processes speaks, writes and locks."""

import pytest
from click.testing import CliRunner

from pipeline.base.checkpoint import Checkpoint
from pipeline.base.processes import LOCAL_RANKS, RANKS, SIZES, is_first, started_together, tells_failure
from pipeline.base.progress import progress
from pipeline.base.workspace import workspace
from stages.cluster import main as cluster


@pytest.fixture
def launched(monkeypatch):
    def launch(**environment):
        for name in {*RANKS, *LOCAL_RANKS, *SIZES}:
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


def test_a_stage_of_one_process_refuses_to_be_several(launched, tmp_path):
    launched()
    assert started_together() == 1
    launched(SLURM_STEP_NUM_TASKS="1")
    assert started_together() == 1
    launched(WORLD_SIZE="2", RANK="0", LOCAL_RANK="0")
    assert started_together() == 2
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    done = CliRunner().invoke(cluster, ["--params", str(tmp_path / "params.yaml")])
    assert done.exit_code == 2
    assert done.stderr == "cluster: error: runs in one process, and 2 were started; start it without torchrun or srun\n"


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
