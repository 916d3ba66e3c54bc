"""Downloads that can be resumed and are verified."""

import re
import time
from pathlib import Path

import requests

from pipeline.base.errors import UserError
from pipeline.base.progress import progress
from pipeline.datasets._shared.digests import algorithm_of, digest_of

CHUNK = 1 << 16  # bytes; when a connection breaks, less than this is lost
OVERLOADED = {408, 429, 500, 502, 503, 504}  # statuses that a later attempt may not meet again
BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class _TransientError(Exception):
    """The server is there but did not deliver this time."""


def download_file(
    url: str, target: Path, digest: str | None = None, *, attempts: int = 5, pause: float = 1.0, timeout: float = 30.0
) -> None:
    """Download `url` (http or https) to `target`, which appears only when it is whole and its digest is right.

    What has arrived waits in `<target>.part`; a later call goes on from there (Range) if the server can tell that it
    still has the same file (If-Range) or `digest` (hex of a sha256 or md5) will. A target that is there already is only
    verified.
    The download is given up after `attempts` tries in a row that brought nothing new, with `pause` seconds between
    them, doubled each time. `timeout` is how many seconds the server may stay silent.

    Raises UserError for a bad address, a refusal of the server, a lost connection and a wrong digest (the bad file
    is removed); OSError when the file cannot be written.
    """
    part, label = _beside(target, ".part"), _beside(target, ".part.validator")
    digest = digest.lower() if digest else None
    if target.exists():
        if digest is None or digest_of(target, algorithm_of(digest)) == digest:
            return
        target.unlink()
    if not re.match(r"https?://", url):
        raise UserError(f"{url}: not an http or https address")
    target.parent.mkdir(parents=True, exist_ok=True)

    resumed = part.exists()
    _complete(url, part, label, verified=digest is not None, attempts=attempts, pause=pause, timeout=timeout)
    if digest and resumed and digest_of(part, algorithm_of(digest)) != digest:
        part.unlink()  # begun from another version of the file: once more from the start
        _complete(url, part, label, verified=True, attempts=attempts, pause=pause, timeout=timeout)
    if digest and (found := digest_of(part, algorithm_of(digest))) != digest:
        _discard(part, label)
        raise UserError(
            f"{url}: wrong checksum, the download was removed: expected {algorithm_of(digest)} {digest}, found {found}"
        )
    part.replace(target)
    label.unlink(missing_ok=True)


def _complete(
    url: str, part: Path, label: Path, *, verified: bool, attempts: int, pause: float, timeout: float
) -> None:
    """Bring `part` to the full length of the file."""
    longest, failures = _size(part), 0
    while True:
        try:
            _transfer(url, part, label, verified=verified, timeout=timeout)
            return
        except (*BROKEN, _TransientError) as error:
            failures = 1 if _size(part) > longest else failures + 1
            longest = max(longest, _size(part))
            if failures >= attempts:
                kept = _size(part)
                mend = f"run again to go on from the {kept} bytes that are kept" if kept else "check the address"
                raise UserError(f"{url}: broke off, {failures} attempts in vain ({_reason(error)}); {mend}") from None
            time.sleep(pause * 2 ** (failures - 1))
        except requests.RequestException as error:
            raise UserError(f"{url}: cannot be downloaded ({_reason(error)}); check the address") from None


def _transfer(url: str, part: Path, label: Path, *, verified: bool, timeout: float) -> None:
    """One request: append to `part` what is missing, or begin anew when the server does not go on from there."""
    validator = label.read_text() if label.exists() else ""
    start = _size(part) if verified or validator else 0
    headers = {"Accept-Encoding": "identity"}  # bytes as they are stored, so that lengths and ranges agree
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        status, total = response.status_code, _length(response)
        same = validator == (current := _validator(response)) or not (validator and current)
        if status == 416 and same and total == start:
            return  # nothing was missing
        if status == 416 or (status == 206 and not (same and _range_start(response) == start)):
            _discard(part, label)
            raise _TransientError("the file has changed on the server")
        if status in OVERLOADED:
            raise _TransientError(f"the server answers {status} {response.reason}")
        if status not in (200, 206):
            raise UserError(f"{url}: the server answers {status} {response.reason}; check the address")
        if status == 200:
            _discard(part, label)
            start = 0
        label.write_text(current)
        name = part.name.removesuffix(".part")
        with open(part, "ab") as file, progress(what=name, total=total, initial=start, unit="B") as bar:
            bar.unit_scale = True
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) < total:
        raise _TransientError(f"{_size(part)} of {total} bytes arrived")


def _range_start(response: requests.Response) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _length(response: requests.Response) -> int | None:
    """Length of the whole file in bytes, if the server tells."""
    headers = response.headers
    length = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _validator(response: requests.Response) -> str:
    """What If-Range takes to tell one version of a file from another: a strong ETag, else the date; or nothing."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _discard(part: Path, label: Path) -> None:
    part.unlink(missing_ok=True)
    label.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
