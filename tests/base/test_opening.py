"""What cannot be opened: permission, lock and disk are told apart, and none is called damage."""

import errno
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from support.permissions import without_power

from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading
from pipeline.base.opening import files_in, opening, why_closed
from pipeline.base.params import load_params
from pipeline.base.parquet import read_parquet
from pipeline.convert.unpickling import load_checkpoint
from pipeline.datasets._shared.matlab import read_mat
from pipeline.datasets._shared.tables import read_text_table
from pipeline.features.given import read_facts
from pipeline.images.decode import UnreadableImage, read_content
from pipeline.models.folder import load_heads, read_model
from pipeline.models.weights import read_weights
from pipeline.retrieval.catalogue.entries import read_entries
from pipeline.retrieval.index.folder import read_facts as read_index_facts

FAULTS = {
    errno.EACCES: "no permission to read it; give it with `chmod +r {path}`, then run again",
    errno.EPERM: "no permission to read it",
    errno.EAGAIN: "another program has it open and locked; close it there, then run again",
    errno.ENOLCK: "its disk locks no files",
    errno.EMFILE: "too many files are open",
    errno.EIO: "its disk or share fails",
}


@pytest.mark.parametrize(("number", "says"), FAULTS.items(), ids=lambda value: errno.errorcode.get(value, ""))
def test_each_fault_has_its_line(tmp_path, number, says):
    path = tmp_path / "file"
    with pytest.raises(UserError, match=f"^{re.escape(f'{path}: {says}'.format(path=path))}"), opening(path):
        raise OSError(number, os.strerror(number), str(path))


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EISDIR, errno.EINVAL, errno.ENOSPC])
def test_other_faults_pass(tmp_path, number):
    with pytest.raises(OSError, match=re.escape(os.strerror(number))), opening(tmp_path):
        raise OSError(number, os.strerror(number))
    assert why_closed(tmp_path, OSError("of a library, without a number")) is None


READERS = {
    "a.h5": lambda path: reading(path, "extract").__enter__(),
    "a.parquet": lambda path: read_parquet(path, "run `dvc repro prepare`"),
    "params.yaml": load_params,
    "model.json": lambda path: read_model(path.parent),
    "heads.json": lambda path: load_heads(path.parent),
    "a.pth": lambda path: read_weights(str(path), "timm/resnet18"),
    "a.safetensors": lambda path: read_weights(str(path), "timm/resnet18"),
    "a.pt": lambda path: load_checkpoint(path, trust=False),
    "a.mat": lambda path: read_mat(path, "names"),
    "table.parquet": lambda path: read_text_table(path.parent, path.name),
    "given.json": lambda path: read_facts(path.parent),
    "index.json": lambda path: read_index_facts(path.parent),
    "manifest.csv": lambda path: read_entries(path.parent),
}


@pytest.mark.parametrize(("name", "read"), READERS.items(), ids=READERS)
def test_no_reader_calls_it_damaged(tmp_path, name, read):
    path = tmp_path / name
    path.write_bytes(b"whatever")
    path.chmod(0)
    with (
        without_power(),
        pytest.raises(UserError, match=rf"{name}: no permission to read it; give it with `chmod \+r "),
    ):
        read(path)


def test_a_folder_that_bars_the_way_is_named(tmp_path):
    folder = tmp_path / "models"
    (folder / "backbone").mkdir(parents=True)
    folder.chmod(0)
    line = rf"no permission to enter {re.escape(str(folder))}; give it with `chmod \+rx {re.escape(str(folder))}`"
    try:
        with without_power():
            with pytest.raises(UserError, match=line):
                read_model(folder / "backbone")
            with pytest.raises(UserError, match="no permission to enter it"):
                files_in(folder)
            with pytest.raises(UnreadableImage, match="no permission to enter"):
                read_content(folder / "backbone/a.jpg")
    finally:
        folder.chmod(0o755)


def test_pictures_say_what_to_do(tmp_path):
    path = tmp_path / "a.jpg"
    path.touch(0)
    with without_power(), pytest.raises(UnreadableImage, match="^no permission to read it$") as caught:
        read_content(path)
    assert caught.value.mend == f"give it with `chmod +r {path}`, then run again"
    with pytest.raises(UnreadableImage) as caught:
        read_content(Path(tmp_path / "none.jpg"))
    assert caught.value.mend is None


def test_damage_is_still_damage(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"whatever")
    with pytest.raises(UserError, match="damaged"):
        read_parquet(tmp_path / "a.parquet", "run it")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "b.parquet")
    assert len(read_parquet(tmp_path / "b.parquet", "run it")) == 1
