"""How the threads of a process wait for one another."""

import os


def wait_asleep() -> None:
    """Let OpenMP's threads (torch's) sleep while they wait, unless the user's environment says otherwise.

    By default they spin, for milliseconds. On matrices of microseconds that takes the cores from whatever runs beside
    it, and two such processes wait for each other most of the time. How many threads there are, and with it the
    rounding, stays as it is. Call it before torch is imported: OpenMP reads it then. GOMP_SPINCOUNT and KMP_BLOCKTIME
    go before it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def one_thread_each() -> None:
    """Let each of many requests be computed on a thread of its own, unless the user's environment says otherwise.

    One picture is too little work to be shared by threads. Call it before torch and faiss are imported.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
