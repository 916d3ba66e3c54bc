"""A reader sees a whole file or none."""

import pytest

from pipeline.base.atomic import publish, replacing


def test_failure_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as aside:
        aside.write_text("half")
        assert path.read_text() == "old"
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_success_replaces(tmp_path):
    path = tmp_path / "new/a.json"
    with replacing(path) as aside:
        aside.write_text("whole")
    assert path.read_text() == "whole"


def test_publish_replaces_a_folder(tmp_path):
    for name, text in (("final", "old"), ("made", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{text}.txt").write_text(text)
    publish(tmp_path / "made", tmp_path / "final")
    assert [path.name for path in (tmp_path / "final").iterdir()] == ["new.txt"]
    assert not (tmp_path / "made").exists()
