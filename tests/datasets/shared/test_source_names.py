"""Names that are no UTF-8, and errors that name the user's files."""

import os
from pathlib import Path

import pytest

from pipeline.base.errors import UserError
from pipeline.datasets._shared.face import told_of
from pipeline.datasets._shared.paths import check_names, escaped


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", b"deep/caf\xe9/a.jpg", b"\xff"])
def test_names_that_are_no_utf8(tmp_path, name):
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).parent.mkdir(parents=True, exist_ok=True)
    Path(os.fsdecode(path)).write_bytes(b"")
    with pytest.raises(UserError, match=r"\\x.*: its name is not in UTF-8; rename it") as caught:
        check_names(tmp_path)
    assert str(caught.value).isascii()
    assert str(tmp_path) in str(caught.value)


def test_names_in_any_language(tmp_path):
    for name in ("写真.jpg", "né.jpg", "café.jpg", "a b;c.jpg"):
        (tmp_path / name).touch()
    check_names(tmp_path)
    check_names(tmp_path / "absent")
    assert escaped("né.jpg") == "né.jpg"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{out}/list.csv line 3: odd", "{source}/list.csv line 3: odd"),
        ("{out}/my list.csv: odd", "{source}/my list.csv: odd"),
        ("{out}/packed.csv: odd", "{source}/packed.csv: odd"),
        ("{out}/from/archive.csv: odd", "from/archive.csv: odd"),
        ("{out}: the lists place a.jpg twice", "{source}: the lists place a.jpg twice"),
        ("x: {out}/list.csv has none of {out}/list.csv", "x: {source}/list.csv has none of {source}/list.csv"),
        ("something else", "something else"),
    ],
)
def test_errors_name_the_file_of_the_user(tmp_path, text, told):
    source, out = tmp_path / "mine", tmp_path / "work/mark/mine"
    source.mkdir()
    for name in ("list.csv", "my list.csv", "packed.csv.gz"):
        (source / name).touch()
    with pytest.raises(UserError) as caught, told_of(source, out):
        raise UserError(text.format(out=out))
    assert str(caught.value) == told.format(source=source)
