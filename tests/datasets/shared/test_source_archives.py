"""Unpacking: what an archive holds comes out whole, or nothing does."""

import io
import os
import re
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from pipeline.base.errors import UserError
from pipeline.datasets._shared.archives import unpack

FILES = {"img/a/one.jpg": b"first", "img/b/two.jpg": b"second" * 1000, "readme.txt": b""}
LIMIT = 100_000
FORMATS = ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], *special: tarfile.TarInfo) -> Path:
    compression = path.suffix[1:] if path.suffix != ".tar" else ""
    with tarfile.open(path, f"w:{compression}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in special:
            archive.addfile(info)
    return path


def make(path: Path, files: dict[str, bytes]) -> Path:
    return make_zip(path, files) if path.suffix == ".zip" else make_tar(path, files)


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_refused(archive: Path, folder: Path, problem: str, limit: int = LIMIT) -> None:
    """One line that names the archive; nothing written, in the folder or around it."""
    (folder / "out").mkdir()
    (folder / "out" / "mine.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(UserError, match=problem) as caught:
        unpack(archive, folder / "out", limit)
    assert str(archive) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == sorted([archive.name, "out"])


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format(tmp_path, suffix):
    unpack(make(tmp_path / f"set.{suffix}", FILES), tmp_path / "out", LIMIT)
    assert contents(tmp_path / "out") == FILES


def test_archives_share_a_folder_but_never_replace_a_file(tmp_path):
    out = tmp_path / "out"
    unpack(make_zip(tmp_path / "a.zip", {"img/a.jpg": b"a"}), out, LIMIT)
    unpack(make_tar(tmp_path / "b.tar", {"./img/b.jpg": b"b"}), out, LIMIT)
    with pytest.raises(UserError, match=r"img/a.jpg is there already"):
        unpack(make_zip(tmp_path / "c.zip", {"img/0.jpg": b"0", "img/a.jpg": b"other"}), out, LIMIT)
    assert contents(out) == {"img/a.jpg": b"a", "img/b.jpg": b"b"}


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt", "img/../../evil.txt", "..\\evil.txt"])
@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_member_outside_the_folder(tmp_path, suffix, name):
    archive = make(tmp_path / f"set.{suffix}", {"good.jpg": b"good", name: b"evil"})
    assert_refused(archive, tmp_path, "leads out of its folder")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd"])
def test_link_out_of_a_tar(tmp_path, kind, target):
    archive = make_tar(tmp_path / "set.tar", FILES, member("img/link.jpg", kind, target))
    assert_refused(archive, tmp_path, "leads out of its folder")


def test_writing_through_a_linked_folder(tmp_path):
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(member("img", tarfile.SYMTYPE, "/tmp"))
        archive.addfile(tarfile.TarInfo("img/evil.txt"), io.BytesIO())
    assert_refused(path, tmp_path, "leads out of its folder")


def test_link_to_a_folder_or_nothing(tmp_path):
    archive = make_tar(tmp_path / "set.tar", FILES, member("all", tarfile.SYMTYPE, "img"))
    assert_refused(archive, tmp_path, "no file of the archive")


def test_links_within_a_tar_become_copies(tmp_path):
    links = [
        member("img/a/same.jpg", tarfile.SYMTYPE, "../b/two.jpg"),
        member("hard.jpg", tarfile.LNKTYPE, "readme.txt"),
    ]
    unpack(make_tar(tmp_path / "set.tar.gz", FILES, *links), tmp_path / "out", LIMIT)
    assert contents(tmp_path / "out") == FILES | {"img/a/same.jpg": FILES["img/b/two.jpg"], "hard.jpg": b""}
    assert not (tmp_path / "out/img/a/same.jpg").is_symlink()


def test_links_to_links_become_copies_in_any_order(tmp_path):
    links = [member(name, tarfile.SYMTYPE, target) for name, target in (("a", "b"), ("b", "c"), ("c", "readme.txt"))]
    unpack(make_tar(tmp_path / "set.tar", FILES, *links), tmp_path / "out", LIMIT)
    assert contents(tmp_path / "out") == FILES | dict.fromkeys("abc", b"")
    circle = [member("a", tarfile.SYMTYPE, "b"), member("b", tarfile.SYMTYPE, "a")]
    archive = make_tar(tmp_path / "circle.tar", FILES, *circle)
    with pytest.raises(UserError, match="no file of the archive"):
        unpack(archive, tmp_path / "other", LIMIT)


def test_a_tar_that_ends_in_a_zip_is_a_tar(tmp_path):
    files = FILES | {"last.zip": make_zip(tmp_path / "last.zip", {"inner.txt": b"inner"}).read_bytes()}
    archive = make_tar(tmp_path / "set.tar", files)
    assert zipfile.is_zipfile(archive)
    unpack(archive, tmp_path / "out", LIMIT)
    assert contents(tmp_path / "out") == files


@pytest.mark.parametrize("target", ["../secret", "one.jpg"])
def test_links_in_a_zip(tmp_path, target):
    path = make_zip(tmp_path / "set.zip", {"one.jpg": b"first"})
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("link.jpg")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    if target == "one.jpg":
        unpack(path, tmp_path / "out", LIMIT)
        assert contents(tmp_path / "out") == {"one.jpg": b"first", "link.jpg": b"first"}
    else:
        assert_refused(path, tmp_path, "leads out of its folder")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes(tmp_path, kind):
    assert_refused(make_tar(tmp_path / "set.tar", FILES, member("dev", kind)), tmp_path, "device or pipe")


@pytest.mark.parametrize("suffix", FORMATS)
def test_more_than_the_cap(tmp_path, suffix):
    size = sum(map(len, FILES.values()))
    archive = make(tmp_path / f"set.{suffix}", FILES)
    unpack(archive, tmp_path / "exact", size)
    assert contents(tmp_path / "exact") == FILES
    (tmp_path / "exact").rename(tmp_path / "old")
    with pytest.raises(UserError, match=f"more than {size - 1} bytes; raise `max_gb`"):
        unpack(archive, tmp_path / "exact", size - 1)
    assert not (tmp_path / "exact").exists()


def test_copies_of_links_count_for_the_cap(tmp_path):
    links = [member(f"{index}.jpg", tarfile.LNKTYPE, "big.jpg") for index in range(9)]
    archive = make_tar(tmp_path / "set.tar", {"big.jpg": bytes(1000)}, *links)
    assert_refused(archive, tmp_path, "more than 9999 bytes", limit=9999)


def test_zip_that_lies_about_its_size(tmp_path):
    path = make_zip(tmp_path / "set.zip", {"bomb.jpg": bytes(50_000)})
    honest = path.read_bytes()
    path.write_bytes(honest.replace((50_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert path.read_bytes() != honest
    assert_refused(path, tmp_path, "damaged archive")


def test_encrypted_zip(tmp_path):
    path = make_zip(tmp_path / "set.zip", {"one.jpg": b"first"})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # flag of the local header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and of the directory
    path.write_bytes(content)
    assert_refused(path, tmp_path, "encrypted; unpack it by hand")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.75])
@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated_archive(tmp_path, suffix, share):
    archive = make(tmp_path / f"set.{suffix}", {"one.jpg": os.urandom(20_000), "two.jpg": os.urandom(20_000)})
    archive.write_bytes(archive.read_bytes()[: int(share * archive.stat().st_size)])
    assert_refused(archive, tmp_path, "damaged|not a zip or tar")


def test_tar_cut_between_two_members(tmp_path):
    archive = make_tar(tmp_path / "set.tar", {"one.jpg": bytes(512), "two.jpg": bytes(512)})
    archive.write_bytes(archive.read_bytes()[:1024])
    assert_refused(archive, tmp_path, "its end is missing")


def test_damaged_content(tmp_path):
    archive = make_zip(tmp_path / "set.zip", {"one.jpg": os.urandom(1000)})
    content = bytearray(archive.read_bytes())
    content[500] ^= 255
    archive.write_bytes(content)
    assert_refused(archive, tmp_path, "damaged archive")


def test_foreign_file_and_empty_archive(tmp_path):
    (tmp_path / "set.rar").write_bytes(b"Rar!" * 100)
    assert_refused(tmp_path / "set.rar", tmp_path, "not a zip or tar archive")


def test_archive_without_files(tmp_path):
    assert_refused(make_tar(tmp_path / "set.tar", {}, member("empty", tarfile.DIRTYPE)), tmp_path, "holds no files")


def test_file_and_folder_of_one_name(tmp_path):
    archive = make_tar(tmp_path / "set.tar", {"img": b"file", "img/one.jpg": b"inside"})
    assert_refused(archive, tmp_path, "a file and a folder share the name")


# Names in code pages that an archive does not tell.


def zip_of_bytes(path: Path, name: bytes, flag: int = 0) -> Path:
    """A zip with one file, whose name is these bytes."""
    stand_in = b"x" * len(name)
    make_zip(path, {stand_in.decode(): b"content"})
    content = path.read_bytes().replace(stand_in, name)
    if flag:
        for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
            at = content.index(mark) + place
            content = content[:at] + flag.to_bytes(2, "little") + content[at + 2 :]
    path.write_bytes(content)
    return path


def tar_of_bytes(path: Path, name: bytes) -> Path:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin1") as archive:
        info = tarfile.TarInfo(name.decode("latin1"))
        info.size = 7
        archive.addfile(info, io.BytesIO(b"content"))
    return path


CODED = {"cp437": "café/né.jpg", "cp866": "фото/шляпа.jpg", "cp932": "写真/帽子.jpg", "gbk": "照片/帽子.jpg"}


@pytest.mark.parametrize("make_one", [zip_of_bytes, tar_of_bytes])
@pytest.mark.parametrize("encoding", CODED)
def test_names_in_other_code_pages(tmp_path, make_one, encoding):
    written = CODED[encoding].encode(encoding)
    path = make_one(tmp_path / "set.archive", written)
    shown = re.escape(written.decode("utf-8", "backslashreplace"))
    assert_refused(path, tmp_path, f"member '{shown}' is named in a code page .*set `encoding` of this archive")
    unpack(path, tmp_path / "new", LIMIT, encoding)
    assert contents(tmp_path / "new") == {CODED[encoding]: b"content"}


def test_names_in_utf8_with_or_without_the_flag(tmp_path):
    written = "写真/né.jpg".encode()
    for number, path in enumerate(
        [
            zip_of_bytes(tmp_path / "a.zip", written),
            zip_of_bytes(tmp_path / "b.zip", written, flag=0x800),
            tar_of_bytes(tmp_path / "c.tar", written),
        ]
    ):
        unpack(path, tmp_path / str(number), LIMIT)
        assert contents(tmp_path / str(number)) == {"写真/né.jpg": b"content"}
    unpack(tmp_path / "b.zip", tmp_path / "new", LIMIT, "cp437")
    assert contents(tmp_path / "new") == {"写真/né.jpg": b"content"}, "the flag says so"


def test_a_name_that_the_encoding_has_not(tmp_path):
    path = zip_of_bytes(tmp_path / "set.zip", b"a\xff\xff.jpg")
    with pytest.raises(UserError, match=r"member 'a\\xff\\xff.jpg' is named in a code page"):
        unpack(path, tmp_path / "out", LIMIT, "gbk")
