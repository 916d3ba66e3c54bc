"""Downloads that can be resumed and are verified."""

import hashlib
import re
import time
from pathlib import Path

import requests

from pipeline.errors import UserError
from pipeline.progress import progress

CHUNK = 1 << 20  # bytes
TRANSIENT = {408, 429, 500, 502, 503, 504}  # statuses that a later attempt may not meet again
BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class _Transient(Exception):
    """The server is there but does not deliver now."""


def download_file(
    url: str, target: Path, sha256: str | None = None, *, attempts: int = 5, pause: float = 1.0, timeout: float = 30.0
) -> None:
    """Download `url` (http or https) to `target`, which appears only when it is whole and its digest is right.

    What has arrived waits in `<target>.part`, and a later call goes on from there (HTTP Range) if the server still
    has the same file (If-Range) or `sha256` (hex) will tell. A target that is there already is only verified.
    After `attempts` tries in a row that bring nothing new the download is given up; `pause` (seconds) doubles
    from one to the next. `timeout` (seconds) is how long the server may stay silent.

    Raises UserError for a bad address, a refusal of the server, a lost connection and a wrong digest (the bad file
    is removed); OSError when the file cannot be written.
    """
    part, label = _beside(target, ".part"), _beside(target, ".part.validator")
    if target.exists():
        if sha256 is None or _digest(target) == sha256.lower():
            return
        target.unlink()
    if not re.match(r"https?://", url):
        raise UserError(f"{url}: not an http or https address")
    target.parent.mkdir(parents=True, exist_ok=True)
    resumed = part.exists()
    _complete(url, part, label, verified=sha256 is not None, attempts=attempts, pause=pause, timeout=timeout)
    if sha256 is not None and resumed and _digest(part) != sha256.lower():
        part.unlink()  # begun from another version of the file: once more from the start
        _complete(url, part, label, verified=True, attempts=attempts, pause=pause, timeout=timeout)
    if sha256 is not None and (actual := _digest(part)) != sha256.lower():
        part.unlink()
        label.unlink(missing_ok=True)
        raise UserError(f"{url}: wrong checksum: expected sha256 {sha256}, got {actual}; the file was removed")
    part.replace(target)
    label.unlink(missing_ok=True)


def _complete(
    url: str, part: Path, label: Path, *, verified: bool, attempts: int, pause: float, timeout: float
) -> None:
    """Bring `part` to the full length of the file."""
    longest, failures = _size(part), 0
    while True:
        try:
            return _transfer(url, part, label, verified=verified, timeout=timeout)
        except (*BROKEN, _Transient) as error:
            failures = 0 if _size(part) > longest else failures + 1
            longest = max(longest, _size(part))
            if failures >= attempts:
                kept = f"{_size(part)} bytes are kept and a new run goes on from there"
                raise UserError(f"{url}: download broke off {failures} times ({_reason(error)}); {kept}") from None
            time.sleep(pause * 2**failures)
        except requests.RequestException as error:
            raise UserError(f"{url}: cannot be downloaded: {_reason(error)}; check the address") from None


def _transfer(url: str, part: Path, label: Path, *, verified: bool, timeout: float) -> None:
    """One request: append what is missing from `part`, or all of it when the server does not resume."""
    validator = label.read_text() if label.exists() else ""
    start = _size(part) if verified or validator else 0
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable and start:
            if _length(response) == start and validator in ("", _validator(response)):
                return
            part.unlink()
            raise _Transient("the file changed on the server")
        _refuse_failure(url, response)
        start = start if _goes_on(response, start, validator) else 0
        label.write_text(_validator(response))
        total = _length(response)
        with (
            open(part, "r+b" if start else "wb") as file,
            progress(what=f"download {part.name.removesuffix('.part')}", total=total, initial=start, unit="B") as bar,
        ):
            bar.unit_scale = True
            file.seek(start)
            file.truncate()
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) < total:
        raise _Transient(f"{_size(part)} of {total} bytes arrived")


def _refuse_failure(url: str, response: requests.Response) -> None:
    if response.status_code in TRANSIENT:
        raise _Transient(f"the server answers {response.status_code} {response.reason}")
    if response.status_code not in (200, 206):
        raise UserError(f"{url}: the server answers {response.status_code} {response.reason}; check the address")


def _goes_on(response: requests.Response, start: int, validator: str) -> bool:
    """Whether the answer continues what we have, rather than giving the file from its first byte."""
    same = validator in ("", _validator(response))
    if response.status_code == 206 and same and _range_start(response) == start:
        return True
    if response.status_code == 206:
        raise _Transient("the server answers another part of the file than asked for")
    return False


def _range_start(response: requests.Response) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _length(response: requests.Response) -> int | None:
    """Length of the whole file in bytes, if the server tells."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
    else:
        length = response.headers.get("Content-Range", "").rpartition("/")[2]
    return int(length) if length.isdigit() else None


def _validator(response: requests.Response) -> str:
    """What If-Range takes to tell one version of the file from another: a strong ETag, else the date."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
