"""HDF5 on a disk without room: an ordinary error wherever it strikes, and nothing left behind."""

import errno
import hashlib

import numpy as np
import pytest
from support.project import largest_file

from pipeline.base.hdf5 import reading, set_attributes, writing


def _write(path):
    # Large and small datasets: HDF5 writes the former at once and the latter when it closes the file.
    with writing(path) as file:
        for index in range(30):
            file.create_group(f"{index:03d}")["small"] = np.arange(index)
            set_attributes(file[f"{index:03d}"], {"name": "x" * index, "whole": True})
        file["large"] = np.arange(50_000)


@pytest.mark.parametrize("size", [0, 100, 1000, 2048, 5000, 10_000, 20_000, 100_000, 400_000])
def test_no_room(tmp_path, size):
    path = tmp_path / "clusters.h5"
    path.write_bytes(b"the old one")
    with pytest.raises(OSError, match="File too large") as caught, largest_file(size):
        _write(path)
    assert caught.value.errno == errno.EFBIG
    assert [file.name for file in tmp_path.iterdir()] == ["clusters.h5"]
    assert path.read_bytes() == b"the old one"


def test_same_content_gives_the_same_bytes(tmp_path):
    digests = set()
    for name in ("a.h5", "another.h5"):
        _write(tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1
    with reading(tmp_path / "a.h5", "cluster") as file:
        assert file["029/small"][()].tolist() == list(range(29))
        assert file["029"].attrs["name"] == "x" * 29
        assert int(file["large"][()].sum()) == 50_000 * 49_999 // 2
