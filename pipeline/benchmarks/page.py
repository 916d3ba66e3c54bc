"""The page under load: clients that ask one photo after another, and uploads among them that are no photos."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import cycle
from pathlib import Path
from time import monotonic, perf_counter, sleep

import numpy as np
import requests
from PIL import Image

SEARCH = "/api/search"
PATIENCE = 30.0  # seconds until a request counts as lost
SAMPLES = 60  # readings of the server's memory


@dataclass
class Load:
    """What clients saw in so many seconds: milliseconds of photos answered, and statuses of all else.

    `lost`: requests without an answer. `megabytes`: memory of the server (10^6 bytes) over the time.
    """

    seconds: float
    milliseconds: list[float] = field(default_factory=list)
    refused: Counter = field(default_factory=Counter)
    bad: Counter = field(default_factory=Counter)
    lost: int = 0
    megabytes: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def lines(self) -> list[str]:
        """The figures, a line each."""
        times = [float(np.percentile(self.milliseconds or [np.nan], rank)) for rank in (50, 99)]
        served = len(self.milliseconds) / self.seconds
        return [
            f"photos answered: {len(self.milliseconds)} in {self.seconds:.0f} s ({served:.1f} a second)",
            f"milliseconds: p50 {times[0]:.1f}, p99 {times[1]:.1f}",
            f"photos refused: {_counted(self.refused)}; requests lost: {self.lost}",
            f"bad uploads: {sum(self.bad.values())}, answered with {_counted(self.bad)}",
            f"memory of the server: {self.megabytes[0]:.0f} MB at first, {max(self.megabytes):.0f} at most, "
            f"{self.megabytes[-1]:.0f} at last",
        ]


def bad_uploads(photo: bytes) -> list[dict]:
    """20 kinds of requests that hold no photo to search with, as arguments of `requests.post`."""
    small = BytesIO()
    Image.new("RGB", (64, 64), "red").save(small, "PNG")
    contents = [
        b"",
        b"just text",
        b"<!doctype html><title>photo.jpg</title>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"PK\x03\x04" + bytes(100),
        bytes(1000),
        photo[: len(photo) // 2],
        photo[:20],
        small.getvalue()[:40],
        b"GIF89a" + bytes(7),
    ]
    whole = {"image": ("a.jpg", photo)}
    return [
        *({"files": {"image": ("photo.jpg", content)}} for content in contents),
        {"files": {"picture": ("a.jpg", photo)}},
        {"files": [("image", ("a.jpg", photo)), ("image", ("b.jpg", photo))]},
        {"files": whole, "data": {"k": "-1"}},
        {"files": whole, "data": {"box": "9000,9000,5,5"}},
        {"files": whole, "data": {"box": "0,0,nan,1"}},
        {"files": whole, "data": {"category": "no such one"}},
        {"files": whole, "data": {"models": "no such one"}},
        {"json": {"image": "http://127.0.0.1/"}},
    ]


def load_page(address: str, pid: int, photos: Sequence[Path], *, clients: int, seconds: float, bad: int) -> Load:
    """So many clients search the page at `address` for so long, and send `bad` uploads among it, all kinds in turn.

    `pid`: the process that serves it.
    """
    load, start = Load(seconds), monotonic()
    contents = [photo.read_bytes() for photo in photos]
    threads = [
        threading.Thread(target=_ask, args=(address, contents[number:] + contents[:number], start + seconds, load))
        for number in range(clients)
    ]
    threads.append(threading.Thread(target=_spoil, args=(address, contents[0], seconds, bad, load)))
    for thread in threads:
        thread.start()
    for sample in range(SAMPLES):
        load.megabytes.append(_resident(pid))
        sleep(max(0.0, start + seconds * (sample + 1) / SAMPLES - monotonic()))
    for thread in threads:
        thread.join()
    return load


def _ask(address: str, contents: list[bytes], until: float, load: Load) -> None:
    with requests.Session() as session:
        for content in cycle(contents):
            if monotonic() >= until:
                return
            start = perf_counter()
            try:
                answer = session.post(address + SEARCH, files={"image": ("a.jpg", content)}, timeout=PATIENCE)
            except requests.RequestException:
                with load.lock:
                    load.lost += 1
                continue
            with load.lock:
                if answer.status_code == requests.codes.ok and answer.json()["answers"]:
                    load.milliseconds.append(1000 * (perf_counter() - start))
                else:
                    load.refused[str(answer.status_code)] += 1


def _spoil(address: str, photo: bytes, seconds: float, count: int, load: Load) -> None:
    kinds = cycle(bad_uploads(photo))
    for _ in range(count):
        try:
            status = requests.post(address + SEARCH, timeout=PATIENCE, **next(kinds)).status_code
        except requests.RequestException:
            status = "nothing"
        with load.lock:
            load.bad[str(status)] += 1
        sleep(0.8 * seconds / count)


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) * 1024 / 1e6


def _counted(statuses: Counter) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())) or "none"
