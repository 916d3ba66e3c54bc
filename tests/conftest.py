"""Settings of all tests."""

import os

# Two test processes on two cores: more threads would only wait for each other. Subprocesses inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
