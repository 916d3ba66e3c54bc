"""Downloads: what arrives is whole and verified, whatever the connection does."""

import errno
import hashlib
from pathlib import Path

import numpy as np
import pytest
from support.file_server import FileServer

import pipeline.datasets._shared.download as module
from pipeline.base.errors import UserError
from pipeline.datasets._shared.download import CHUNK, download_file

CONTENT = np.random.default_rng(1).bytes(3 * CHUNK)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole_file_with_the_right_digest(tmp_path):
    with FileServer(CONTENT).running() as server:
        download_file(server.url, tmp_path / "deep" / "set.bin", DIGEST.upper())
    assert (tmp_path / "deep" / "set.bin").read_bytes() == CONTENT
    assert left(tmp_path / "deep") == ["set.bin"]


def test_file_already_there_is_not_downloaded_again(tmp_path):
    (tmp_path / "set.bin").write_bytes(CONTENT)
    with FileServer(b"other").running() as server:
        download_file(server.url, tmp_path / "set.bin", DIGEST)
        download_file(server.url, tmp_path / "set.bin")
        assert server.requests == []
        with pytest.raises(UserError, match="wrong checksum"):  # another version is wanted now
            download_file(server.url, tmp_path / "set.bin", "0" * 64)


def test_dropped_connection_is_resumed_within_the_run(tmp_path):
    with FileServer(CONTENT, drop_after=CHUNK).running() as server:
        download_file(server.url, tmp_path / "set.bin", DIGEST, pause=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.requests == [None, f"bytes={CHUNK}-", f"bytes={2 * CHUNK}-"]


def test_given_up_download_is_resumed_by_the_next_run(tmp_path):
    target = tmp_path / "set.bin"
    with FileServer(CONTENT, drop_after=CHUNK).running() as server:
        with pytest.raises(UserError, match=f"run again to go on from the {CHUNK} bytes"):
            download_file(server.url, target, attempts=1, pause=0)
        assert not target.exists()
        server.drop_after = None
        download_file(server.url, target)
    assert target.read_bytes() == CONTENT
    assert server.requests[1:] == [f"bytes={CHUNK}-"]


@pytest.mark.parametrize("digest", [None, DIGEST])
def test_server_without_ranges_starts_over(tmp_path, digest):
    (tmp_path / "set.bin.part").write_bytes(CONTENT[:1000])
    (tmp_path / "set.bin.part.validator").write_text('"one"')
    with FileServer(CONTENT, ranges=False).running() as server:
        download_file(server.url, tmp_path / "set.bin", digest)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert left(tmp_path) == ["set.bin"]


def test_server_without_ranges_that_always_drops_is_given_up(tmp_path):
    endless = FileServer(CONTENT, ranges=False, drop_after=CHUNK)
    with endless.running() as server, pytest.raises(UserError, match="3 attempts in vain"):
        download_file(server.url, tmp_path / "set.bin", attempts=3, pause=0)
    assert not (tmp_path / "set.bin").exists()


@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize("digest", [None, DIGEST])
def test_file_that_changed_on_the_server_starts_over(tmp_path, digest, heeds_if_range):
    (tmp_path / "set.bin.part").write_bytes(b"an older version")
    (tmp_path / "set.bin.part.validator").write_text('"zero"')
    with FileServer(CONTENT, heeds_if_range=heeds_if_range).running() as server:
        download_file(server.url, tmp_path / "set.bin", digest, pause=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_change_that_only_the_digest_shows_starts_over_once(tmp_path):
    (tmp_path / "set.bin.part").write_bytes(b"an older version")
    with FileServer(CONTENT, etag=None).running() as server:
        download_file(server.url, tmp_path / "set.bin", DIGEST)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert server.requests == ["bytes=16-", None]


def test_part_is_not_trusted_when_nothing_can_tell_versions_apart(tmp_path):
    (tmp_path / "set.bin.part").write_bytes(b"an older version")
    with FileServer(CONTENT, etag=None).running() as server:
        download_file(server.url, tmp_path / "set.bin")
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("part", "requests"), [(CONTENT, 1), (CONTENT + b"x", 2)])
def test_part_that_misses_nothing(tmp_path, part, requests):
    (tmp_path / "set.bin.part").write_bytes(part)
    (tmp_path / "set.bin.part.validator").write_text('"one"')
    with FileServer(CONTENT).running() as server:
        download_file(server.url, tmp_path / "set.bin", pause=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert len(server.requests) == requests


def test_wrong_digest_removes_the_file_and_names_both(tmp_path):
    with FileServer(b"spoilt").running() as server, pytest.raises(UserError, match="wrong checksum") as caught:
        download_file(server.url, tmp_path / "set.bin", DIGEST)
    assert DIGEST in str(caught.value)
    assert hashlib.sha256(b"spoilt").hexdigest() in str(caught.value)
    assert left(tmp_path) == []
    assert server.requests == [None], "a file received in one piece is not fetched twice"


def test_overloaded_server_is_asked_again(tmp_path):
    with FileServer(CONTENT, statuses=[503, 429]).running() as server:
        download_file(server.url, tmp_path / "set.bin", pause=0)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_refusals_and_bad_addresses_are_one_line(tmp_path):
    target = tmp_path / "set.bin"
    lost = FileServer(CONTENT, statuses=[404])
    with lost.running() as server, pytest.raises(UserError, match="404 Not Found; check the address"):
        download_file(server.url, target)
    with pytest.raises(UserError, match="broke off"):
        download_file(server.url, target, attempts=2, pause=0)  # nobody listens any more
    with pytest.raises(UserError, match="not an http or https address"):
        download_file("file:///etc/hostname", target)
    with pytest.raises(UserError, match="check the address") as caught:
        download_file("http://[half/set.bin", target)
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []


def test_full_disk_leaves_the_part_to_be_resumed(tmp_path, monkeypatch):
    class FullDisk:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, chunk):
            self.file.write(chunk[:1000])
            raise OSError(errno.ENOSPC, "No space left on device", "set.bin.part")

    with FileServer(CONTENT).running() as server:
        monkeypatch.setattr(module, "open", lambda path, mode: FullDisk(path.open(mode)), raising=False)
        with pytest.raises(OSError, match="No space left") as caught:
            download_file(server.url, tmp_path / "set.bin")
        assert caught.value.errno == errno.ENOSPC
        monkeypatch.undo()
        download_file(server.url, tmp_path / "set.bin", DIGEST)
    assert server.requests == [None, "bytes=1000-"]
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
