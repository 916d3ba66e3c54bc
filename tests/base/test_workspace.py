"""Work in progress survives a failure, is dropped when anything it depends on changed, and is locked."""

import subprocess
import sys

import pytest

from pipeline.base.code import PROJECT
from pipeline.base.errors import UserError
from pipeline.base.workspace import fingerprint, workspace


def test_work_is_kept_on_failure_and_removed_on_success(tmp_path):
    with pytest.raises(RuntimeError), workspace(tmp_path, "finetune", "aa") as folder:
        (folder / "checkpoint.pt").write_text("half")
        raise RuntimeError
    with workspace(tmp_path, "finetune", "aa") as folder:
        assert (folder / "checkpoint.pt").read_text() == "half"
    assert not folder.exists()


def test_work_under_another_fingerprint_is_dropped(tmp_path):
    with pytest.raises(RuntimeError), workspace(tmp_path, "finetune", "aa") as old:
        raise RuntimeError
    with workspace(tmp_path, "finetune", "bb") as folder:
        assert list(folder.iterdir()) == []
        assert not old.exists()


def test_second_run_says_who_holds_the_lock(tmp_path):
    code = (
        "import sys, pathlib; from pipeline.base.workspace import workspace\n"
        "with workspace(pathlib.Path(sys.argv[1]), 'finetune', 'aa'): print('in', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "in\n"
        said = rf"finetune: process {other.pid} on .* holds .*lock; .*`kill {other.pid}`"
        with pytest.raises(UserError, match=said), workspace(tmp_path, "finetune", "aa"):
            pass
        with workspace(tmp_path, "adapt", "aa"):
            pass  # another stage is free
        other.kill()
        other.wait()
    with workspace(tmp_path, "finetune", "aa"):
        pass  # a killed holder holds nothing


def test_fingerprint_covers_params_inputs_and_code(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("1")

    def mark(params=1, modules=("pipeline.base.seeds",)):
        return fingerprint(params=params, inputs=[tmp_path / "in"], modules=modules)

    first = mark()
    assert mark() == first
    assert mark(params=2) != first
    assert mark(modules=("pipeline.base.progress",)) != first
    (tmp_path / "in/a.txt").write_text("2")
    assert mark() != first
    (tmp_path / "in/a.txt").write_text("1")
    assert mark() == first
    (tmp_path / "in/a.txt").rename(tmp_path / "in/b.txt")
    assert mark() != first
