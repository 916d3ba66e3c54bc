"""What the `fetch` of a dataset is made of: archives, list files, the pictures that the lists name."""

import codecs
import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from pipeline.base.errors import UserError
from pipeline.base.params import Section
from pipeline.base.progress import progress
from pipeline.datasets._shared.archives import unpack
from pipeline.datasets._shared.digests import algorithm_of, digest_of
from pipeline.datasets._shared.download import download_file
from pipeline.datasets._shared.lists import find_list
from pipeline.datasets._shared.paths import inside


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError("should be a code page that Python knows, as cp437, cp932, gbk") from None


class ArchiveParams(Section):
    """An archive to unpack `into` a folder of the dataset: from a `url`, or a `file` in the folder `data.source`.

    `encoding`: code page of its members' names, where the archive does not say that they are in UTF-8.
    """

    url: str | None = None
    file: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    md5: Annotated[str, Field(pattern="^[0-9a-fA-F]{32}$")] | None = None
    into: str = "."
    max_gb: Annotated[float, Field(gt=0)] = 100.0  # 10^9 bytes, unpacked
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "ArchiveParams":
        if (self.url is None) == (self.file is None):
            raise ValueError("should have either url or file")
        return self

    @property
    def digest(self) -> str | None:
        """The checksum, the better one of two."""
        return self.sha256 or self.md5


def fetch_archives(
    archives: Iterable[ArchiveParams], source: Path, out: Path, downloads: Path, *, unless: Iterable[str] = ()
) -> None:
    """Verify and unpack `archives` into `out`, downloading to `downloads` what is not in the folder `source`.

    None is needed when `source` has all of `unless`: they are unpacked there already.

    `downloads` is not part of the dataset; kept from run to run, it lets a broken download go on.
    An archive from a `url` that lies in `source` under its own name is taken from there.
    Raises UserError for a missing file, a wrong checksum and whatever download and unpacking refuse.
    """
    unpacked = list(unless)
    if unpacked and all((source / name).exists() for name in unpacked):
        return
    for archive in archives:
        name = archive.file or PurePosixPath(urlsplit(archive.url).path).name or "archive"
        path = source / inside(name, "archives: file")
        if archive.file is not None or path.is_file():
            _verify(path, archive.digest)
        else:
            # Several addresses may end in the same name.
            path = downloads / f"{hashlib.sha256(archive.url.encode()).hexdigest()[:12]}-{name}"
            download_file(archive.url, path, archive.digest)
        into = out / inside(archive.into, "archives: into")
        unpack(path, into, int(archive.max_gb * 1e9), archive.encoding)


def copy_lists(source: Path, out: Path, names: Iterable[str], guide: str) -> None:
    """Copy the list files `names`, plain or gzipped, unless an archive brought them.

    Raises UserError ending in `guide` (what goes where, and where it comes from) for a missing one.
    """
    for name in names:
        if find_list(out, name) is None:
            found = find_list(source, name)
            if found is None:
                raise UserError(f"{source / name}: no such file; {guide}")
            _copy(found, out / found.relative_to(source))


def copy_pictures(source: Path, out: Path, names: Iterable[str], guide: str) -> None:
    """Copy the pictures `names` (relative to both folders) unless an archive brought them.

    A missing picture is left to the check of the manifest, which counts and lists the unreadable ones.
    Raises UserError ending in `guide` when there is none at all.
    """
    names = list(dict.fromkeys(names))
    found = 0
    for name in progress(names, what="copy pictures", unit="file"):
        target = out / inside(name, "image")
        if not target.is_file() and (source / name).is_file():
            _copy(source / name, target)
        found += target.is_file()
    if not found:
        example = f"{source / names[0]} is missing" if names else "the lists name none"
        raise UserError(f"{source}: none of the {len(names)} pictures is there ({example}); {guide}")


def _verify(path: Path, digest: str | None) -> None:
    if not path.is_file():
        raise UserError(f"{path}: no such file; put the archive there or mend `file` of the dataset's `archives`")
    if digest is None:
        return
    algorithm = algorithm_of(digest)
    found = digest_of(path, algorithm)
    if found != digest.lower():
        raise UserError(f"{path}: wrong checksum: expected {algorithm} {digest.lower()}, found {found}; get it again")


def _copy(source: Path, target: Path) -> None:
    # A copy, not a link: DVC moves its outputs into a cache and makes them read-only.
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
