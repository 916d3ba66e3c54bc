"""Checksums of files; the length of a hex digest tells how it is computed."""

import hashlib
from pathlib import Path

ALGORITHMS = {64: "sha256", 32: "md5"}  # md5 for sets whose publishers give nothing else


def algorithm_of(digest: str) -> str:
    """Name of the algorithm that gives such a hex `digest`."""
    return ALGORITHMS[len(digest)]


def digest_of(path: Path, algorithm: str) -> str:
    """The digest of the file, hex in lower case."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
