"""Threads that sleep while they wait."""

import os
import subprocess
import sys

import pytest
from support.project import PROJECT


@pytest.mark.parametrize(("given", "expected"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_every_stage_sets_it_before_torch_and_leaves_the_users_choice(given, expected):
    env = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | given
    code = "import os, sys, stages.adapt; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [expected, "False"]
