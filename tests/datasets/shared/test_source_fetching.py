"""Archives, lists and pictures of a dataset: from params and the user's folder to the fetched folder."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from support.file_server import FileServer

from pipeline.base.errors import UserError
from pipeline.base.params import Section, parse_section
from pipeline.datasets._shared.fetching import ArchiveParams, copy_lists, copy_pictures, fetch_archives


class Archives(Section):
    archives: list[ArchiveParams]


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.jpg", content)
    return path


def digest(path: Path, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


@pytest.fixture
def folders(tmp_path):
    source, out = tmp_path / "source", tmp_path / "work" / "out"
    source.mkdir()
    out.mkdir(parents=True)
    return source, out


def test_archives_from_the_folder_and_from_the_network(folders, tmp_path):
    source, out = folders
    here, there = zipped(source / "here.zip", one=b"1"), zipped(tmp_path / "there.zip", two=b"2")
    with FileServer(there.read_bytes()).running() as server:
        archives = [
            ArchiveParams(file="here.zip", sha256=digest(here)),
            ArchiveParams(url=server.url, sha256=digest(there), into="img/shop"),
        ]
        fetch_archives(archives, source, out, tmp_path / "downloads")
        assert (out / "one.jpg").read_bytes() == b"1"
        assert (out / "img/shop/two.jpg").read_bytes() == b"2"
        # A run killed after the download finds it again.
        fetch_archives(archives, source, tmp_path / "again", tmp_path / "downloads")
        assert len(server.requests) == 1


def test_archive_that_lies_in_the_folder_is_not_downloaded(folders, tmp_path):
    source, out = folders
    archive = ArchiveParams(
        url="http://127.0.0.1:9/files/set.zip", md5=digest(zipped(source / "set.zip", one=b"1"), "md5")
    )
    fetch_archives([archive], source, out, tmp_path / "downloads")
    assert (out / "one.jpg").read_bytes() == b"1"
    (source / "set.zip").write_bytes(b"another")
    with pytest.raises(UserError, match=r"set.zip: wrong checksum: expected md5 [0-9a-f]{32}, found"):
        fetch_archives([archive], source, tmp_path / "again", tmp_path / "downloads")


def test_archive_whose_content_lies_in_the_folder_is_not_needed(folders, tmp_path):
    source, out = folders
    (source / "set").mkdir()
    (source / "set/list.txt").touch()
    archive = ArchiveParams(url="http://127.0.0.1:9/set.zip")
    fetch_archives([archive], source, out, tmp_path / "downloads", unless=["set/list.txt", "set"])
    assert list(out.iterdir()) == []
    zipped(source / "set.zip", one=b"1")
    fetch_archives([archive], source, out, tmp_path / "downloads", unless=["set/list.txt", "set/images"])
    assert [path.name for path in out.iterdir()] == ["one.jpg"]


def test_download_with_an_md5(folders, tmp_path):
    source, out = folders
    there = zipped(tmp_path / "there.zip", two=b"2")
    with FileServer(there.read_bytes()).running() as server:
        right = ArchiveParams(url=server.url, md5=digest(there, "md5"))
        with pytest.raises(
            UserError, match=f"wrong checksum, the download was removed: expected md5 {'0' * 32}, found"
        ):
            fetch_archives([right.model_copy(update={"md5": "0" * 32})], source, out, tmp_path / "downloads")
        fetch_archives([right], source, out, tmp_path / "downloads")
    assert (out / "two.jpg").read_bytes() == b"2"


@pytest.mark.parametrize(
    ("archive", "problem"),
    [
        ({"file": "here.zip", "sha256": "0" * 64}, "here.zip: wrong checksum"),
        ({"file": "absent.zip"}, "absent.zip: no such file"),
        ({"file": "../here.zip"}, "file: '../here.zip' leads out"),
        ({"file": "here.zip", "into": "/tmp"}, "into: '/tmp' leads out"),
        ({"file": "here.zip", "max_gb": 1e-9}, "more than 1 bytes"),
    ],
)
def test_refused_archives(folders, archive, problem):
    source, out = folders
    zipped(source / "here.zip", one=b"12")
    with pytest.raises(UserError, match=problem):
        fetch_archives([ArchiveParams(**archive)], source, out, out.parent / "downloads")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    ("archive", "problem"),
    [
        ({"sha256": "0" * 64}, "either url or file"),
        ({"url": "http://a/b.zip", "file": "b.zip"}, "either url or file"),
        ({"file": "b.zip", "sha256": "beef"}, r"datasets.x.archives.0.sha256"),
        ({"file": "b.zip", "max_gb": 0}, r"datasets.x.archives.0.max_gb"),
        ({"file": "b.zip", "password": "secret"}, r"datasets.x.archives.0.password: unknown key"),
    ],
)
def test_mistaken_params(archive, problem):
    with pytest.raises(UserError, match=problem):
        parse_section({"archives": [archive]}, "datasets.x", Archives)


def test_lists_come_plain_or_gzipped_and_archives_go_first(folders):
    source, out = folders
    (source / "Eval").mkdir()
    (source / "Eval" / "one.txt").write_text("mine")
    (source / "two.json.gz").write_bytes(b"gz")
    (source / "three.txt").write_text("mine")
    (out / "three.txt").write_text("unpacked")
    copy_lists(source, out, ["Eval/one.txt", "two.json", "three.txt"], "guide")
    assert (out / "Eval/one.txt").read_text() == "mine"
    assert (out / "two.json.gz").read_bytes() == b"gz"
    assert (out / "three.txt").read_text() == "unpacked"
    with pytest.raises(UserError, match=r"four.txt: no such file; put it there"):
        copy_lists(source, out, ["four.txt"], "put it there")


def test_only_named_pictures_are_copied_and_missing_ones_left_to_prepare(folders):
    source, out = folders
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (source / name).write_bytes(name.encode())
    copy_pictures(source, out, ["a.jpg", "c.jpg", "a.jpg", "gone.jpg"], "guide")
    assert sorted(path.name for path in out.iterdir()) == ["a.jpg", "c.jpg"]
    assert (out / "a.jpg").stat().st_ino != (source / "a.jpg").stat().st_ino, "DVC will make it read-only"


def test_no_picture_at_all_and_pictures_outside(folders):
    source, out = folders
    (source / "a.jpg").write_bytes(b"a")
    with pytest.raises(UserError, match=r"none of the 2 pictures is there .*x.jpg is missing.*; put them there"):
        copy_pictures(source, out, ["x.jpg", "y.jpg"], "put them there")
    with pytest.raises(UserError, match="leads out of its folder"):
        copy_pictures(source / "sub", out, ["../a.jpg"], "guide")
