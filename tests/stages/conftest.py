"""The chain, run once for all tests of the stages."""

from collections.abc import Iterator

import pytest
import torch
from chain_support import STAGES, Chain


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    # Two test processes share two cores: more threads mostly wait for each other.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Chain:
    """The tiny chain, run to its end; only to be looked at."""
    chain = Chain(tmp_path_factory.mktemp("chain"))
    chain.succeed(*STAGES)
    return chain


@pytest.fixture
def chain(finished, tmp_path) -> Chain:
    """A copy of the finished chain to run on and to spoil."""
    return finished.copy(tmp_path / "chain")
