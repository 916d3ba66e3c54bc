"""Permissions that count for root too, who may else read and write everything."""

import ctypes
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VERSION_3 = 0x20080522
OVERRIDES = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
WITHOUT_POWER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]  # of a process to start


def within_without_power() -> list[str]:
    """The command within which a process of root, too, has to be permitted what it opens. Skips where there is none."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("run by root, who may open everything, and there is no setpriv to change that")
    return WITHOUT_POWER


@contextmanager
def without_power() -> Iterator[None]:
    """Context in which this thread, be it root's, has to be permitted what it opens. Skips the test where it cannot."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(VERSION_3, 0), (ctypes.c_uint32 * 6)()  # effective, permitted, ... twice
    if not hasattr(libc, "capget") or libc.capget(header, sets):
        pytest.skip("run by root, whose capabilities cannot be read here")
    before = sets[0]
    sets[0] = before & ~OVERRIDES
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0
