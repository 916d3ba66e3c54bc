"""The chain, run once for all tests of the stages."""

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
import torch
from support.chain import STAGES, Chain

from pipeline.retrieval.searcher import Searcher


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever runs stages is a test of the chain, which the default run leaves out.

    The longest come first, those that drive DVC, so that no process ends alone with one of them.
    """
    chain = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in chain:
        item.add_marker("chain")
    items.sort(key=lambda item: (not hasattr(item.module, "Repo"), item not in chain))


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


@pytest.fixture
def searcher(finished: Chain) -> Iterator[Searcher]:
    """Of the index of the finished chain, in whose folder the test runs."""
    with chdir(finished.folder):
        yield Searcher.load("data/index", device="cpu")


# All phases of the game, an epoch each, and one more at a lower rate, since schedules lag by two; small networks.
DADA = {
    "finetune.recipe": "dada",
    "finetune.epochs": 4,
    "finetune.optim.schedule": "step",
    "finetune.optim.step_epochs": 1,
    "finetune.model.pooling": "avg_max",
    "finetune.model.output": "layernorm",
    "recipes.dada.batch_size": 32,
    "recipes.dada.discriminator_epochs": 1,
    "recipes.dada.head_epochs": 2,
    "recipes.dada.networks.domain_hidden": 16,
    "recipes.dada.networks.class_hidden": [16, 16],
}


@pytest.fixture(scope="session")
def finished_dada(finished, tmp_path_factory) -> Chain:
    """The tiny chain with the recipe dada, run to its end; only to be looked at."""
    chain = finished.copy(tmp_path_factory.mktemp("dada"), DADA)
    chain.succeed(*STAGES[STAGES.index("finetune") :])
    return chain
