"""Where the golden vectors are; tests/golden/README.md says what they are."""

from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = (TESTS / "golden", TESTS.parents[1] / "shared" / "golden")
GOLDEN, SHARED_GOLDEN = (folder / "udma" for folder in FOLDERS)


def golden(name: str, system: str = "udma") -> dict[str, np.ndarray]:
    """The arrays of `<name>.npz`; skips the test when the file holds third-party data and is not on this machine."""
    for folder in FOLDERS:
        path = folder / system / f"{name}.npz"
        if path.is_file():
            with np.load(path) as arrays:
                return dict(arrays)
    pytest.skip(f"{name}.npz is made from third-party data and not kept with the code; it lies in ../shared")
