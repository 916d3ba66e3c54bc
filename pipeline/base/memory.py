"""How a process keeps the memory that it is done with."""

import ctypes
import os
import sys
from contextlib import suppress

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of mallopt(3)
KEPT = 2**30  # bytes


def keep_memory() -> None:
    """Let the C library keep up to a GiB of freed memory, unless the user's environment says otherwise.

    By default it hands each large array back to the system, which clears its pages for the next one: in batches of
    pictures that takes about as long as the arithmetic. Worker processes inherit it. Does nothing beside Linux's libc.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in ((TRIM_THRESHOLD, KEPT), (MMAP_MAX, 0)):
        mallopt(option, value)


def hand_back() -> None:
    """Give the system the memory that is freed and kept. Does nothing beside Linux's libc."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
