"""Unpacking zip and tar archives that nobody has vouched for."""

import gzip
import lzma
import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.base.atomic import remove
from pipeline.base.errors import UserError
from pipeline.base.progress import progress
from pipeline.datasets._shared.paths import escaped, inside, is_utf8, joined

CHUNK = 1 << 20  # bytes
PATH_MAX = 4096  # bytes
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # how one starts: with a member, or none
UTF8 = 0x800  # flag of a zip's member: its name is in UTF-8
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError)


@dataclass(frozen=True)
class _Member:
    """A file of an archive: `size` as declared, `open` its bytes; or a `link` to another file of the archive."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]
    link: str | None = None


def unpack(archive: Path, out: Path, max_bytes: int, encoding: str | None = None) -> None:
    """Unpack a zip or tar (plain, gz, bz2, xz) archive into the folder `out`, which may hold other files already.

    Links to files of the archive become copies of them. `out` is untouched until everything is unpacked beside it.
    `encoding`: code page of the members' names where the archive does not say UTF-8; None: UTF-8 all the same.

    Raises UserError for a file that is no archive, is damaged or encrypted, for more than `max_bytes` of content, and
    for members that lead out of the folder, are devices, would replace a file of `out`, or have names in another
    code page.
    """
    aside = out.with_name(f".{out.name}.unpacking")
    remove(aside)
    aside.mkdir(parents=True)
    try:
        if _starts_as_zip(archive):  # a tar may end in one
            with zipfile.ZipFile(archive) as source:
                _write(_zip_members(archive, source, max_bytes, encoding), archive, aside, max_bytes)
        else:
            with _open_tar(archive, encoding) as source:
                _write(_tar_members(archive, source), archive, aside, max_bytes)
        _merge(archive, aside, out)
    except DAMAGED as error:
        raise UserError(f"{archive}: damaged archive ({error}); download it again") from None
    except NotImplementedError as error:
        raise UserError(f"{archive}: cannot be unpacked ({error}); unpack it by hand") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise UserError(f"{archive}: damaged archive (a file and a folder share the name {error.filename})") from None
    except OSError as error:
        if error.errno is not None:  # the bz2 module reports damaged data so
            raise
        raise UserError(f"{archive}: damaged archive ({error}); download it again") from None
    finally:
        remove(aside)


def _starts_as_zip(archive: Path) -> bool:
    with open(archive, "rb") as file:
        return file.read(len(ZIP[0])) in ZIP


def _zip_members(archive: Path, source: zipfile.ZipFile, max_bytes: int, encoding: str | None) -> Iterator[_Member]:
    infos = [info for info in source.infolist() if not info.is_dir()]
    if sum(info.file_size for info in infos) > max_bytes:  # told before anything is written
        raise _too_big(archive, max_bytes)
    for info in infos:
        if info.flag_bits & 1:
            raise UserError(
                f"{archive}: encrypted; unpack it by hand with the password you were given into the folder of "
                "data.source, and drop it from the dataset's `archives`"
            )
        code_page = "utf-8" if info.flag_bits & UTF8 else encoding
        path = inside(_name(archive, info, code_page), f"{archive}: member")
        kind, link = stat.S_IFMT(info.external_attr >> 16), None
        if kind == stat.S_IFLNK:
            with source.open(info) as content:
                link = joined(posixpath.dirname(path), _decoded(archive, content.read(PATH_MAX), code_page))
        elif kind not in (0, stat.S_IFREG):
            raise _not_a_file(archive, path)
        yield _Member(path, info.file_size, lambda info=info: source.open(info), link)


def _open_tar(archive: Path, encoding: str | None) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, encoding=encoding or "utf-8", errors="surrogateescape")
    except tarfile.TarError:
        raise UserError(f"{archive}: not a zip or tar archive, or cut off; download it again") from None


def _tar_members(archive: Path, source: tarfile.TarFile) -> Iterator[_Member]:
    for info in source:  # one pass: a compressed tar is slow to go back in
        for name in (info.name, info.linkname):
            if not is_utf8(name):
                raise _in_other_letters(archive, escaped(name))
        path = inside(info.name, f"{archive}: member")
        if info.isdir():
            continue
        link = None
        if info.issym():
            link = joined(posixpath.dirname(path), info.linkname)
        elif info.islnk():
            link = info.linkname
        elif not info.isreg():
            raise _not_a_file(archive, path)
        yield _Member(path, info.size, lambda info=info: source.extractfile(info), link)
    source.fileobj.seek(source.offset)
    if not source.fileobj.read(1):  # a whole tar ends in blocks of zeros
        raise tarfile.ReadError("its end is missing")


def _name(archive: Path, info: zipfile.ZipInfo, encoding: str | None) -> str:
    try:
        written = info.filename.encode("cp437")  # what a name is read as without the flag
    except UnicodeEncodeError:
        return info.filename
    return info.filename if info.flag_bits & UTF8 else _decoded(archive, written, encoding)


def _decoded(archive: Path, name: bytes, encoding: str | None) -> str:
    try:
        return name.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        raise _in_other_letters(archive, name.decode("utf-8", "backslashreplace")) from None


def _write(members: Iterator[_Member], archive: Path, aside: Path, max_bytes: int) -> None:
    """Write the files, then the links, counting what is really written: a declared size may lie."""
    left, links = max_bytes, []
    for member in progress(members, what=f"unpack {archive.name}", unit="file"):
        if member.link is not None:
            links.append((member.path, member.link))
            continue
        if member.size > left:
            raise _too_big(archive, max_bytes)
        target = aside / member.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.open() as source, open(target, "wb") as file:
            while chunk := source.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise _too_big(archive, max_bytes)
                file.write(chunk)
    while links:  # to a file, or to a link that has become one
        originals = [aside / inside(posixpath.normpath(link), f"{archive}: link {path!r}") for path, link in links]
        ready = {path: original for (path, _), original in zip(links, originals, strict=True) if original.is_file()}
        if not ready:
            path, link = links[0]
            raise UserError(f"{archive}: link {path!r} to {link!r}, which is no file of the archive; refused")
        for path, original in ready.items():
            left -= original.stat().st_size
            if left < 0:
                raise _too_big(archive, max_bytes)
            target = aside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, target)
        links = [link for link in links if link[0] not in ready]


def _merge(archive: Path, aside: Path, out: Path) -> None:
    """Move everything from `aside` to `out`, having made sure that nothing there is replaced."""
    files = [path.relative_to(aside) for path in sorted(aside.rglob("*")) if path.is_file()]
    if not files:
        raise UserError(f"{archive}: holds no files")
    taken = next((file for file in files if (out / file).exists()), None)
    if taken is not None:
        raise UserError(f"{archive}: {taken} is there already, in {out}; give the archive a folder of its own (`into`)")
    for file in files:
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (aside / file).replace(out / file)


def _too_big(archive: Path, max_bytes: int) -> UserError:
    return UserError(
        f"{archive}: unpacks to more than {max_bytes} bytes; raise `max_gb` of this archive if you trust it"
    )


def _in_other_letters(archive: Path, name: str) -> UserError:
    return UserError(
        f"{archive}: member '{name}' is named in a code page that the archive does not tell; set `encoding` of this "
        "archive in the dataset's `archives`: cp437 or cp850 (Western), cp866 (Cyrillic), cp932 (Japanese), gbk, ..."
    )


def _not_a_file(archive: Path, path: str) -> UserError:
    return UserError(f"{archive}: member {path!r} is a device or pipe, not a file; refused")
