"""Learning-rate factors by hand."""

import pytest

from pipeline.params.finetune import OptimParams
from pipeline.training.schedule import lagging_factor, lr_factor

BASE = {"name": "adam", "lr": 0.1, "weight_decay": 0.0, "step_epochs": 20, "gamma": 0.1}


@pytest.mark.parametrize(("epoch", "factor"), [(0, 1), (19.9, 1), (20, 0.1), (39.9, 0.1), (40, 0.01)])
def test_published_steps(epoch, factor):
    params = OptimParams(**BASE, schedule="step", warmup_epochs=0.0)
    assert lr_factor(params, epoch, 60) == pytest.approx(factor)


@pytest.mark.parametrize(("epoch", "factor"), [(0, 1), (2.9, 1), (3, 0.1), (6.9, 0.1), (7, 0.01), (50, 0.01)])
def test_milestones(epoch, factor):
    params = OptimParams(**BASE, schedule="multistep", milestones=(3, 7), warmup_epochs=0.0)
    assert lr_factor(params, epoch, 60) == pytest.approx(factor)


@pytest.mark.parametrize(("epoch", "factor"), [(0, 1), (0.9, 1), (10, 0.55), (20, 0.1), (50, 0.1)])
def test_linear_fall_by_epochs(epoch, factor):
    params = OptimParams(**BASE, schedule="linear", warmup_epochs=0.0)
    assert lr_factor(params, epoch, 60) == pytest.approx(factor)


@pytest.mark.parametrize(("epoch", "factor"), [(1, 0.5), (2, 1), (24.9, 1), (25, 0.1)])
def test_a_lagging_schedule_rises_at_the_start_all_the_same(epoch, factor):
    params = OptimParams(**BASE, schedule="step", warmup_epochs=2.0)
    assert lagging_factor(params, epoch, 60, lag=5) == pytest.approx(factor)


@pytest.mark.parametrize(("epoch", "factor"), [(0, 0), (1, 0.5 * 0.9755), (2, 0.9045), (5, 0.5), (10, 0)])
def test_cosine_with_warmup(epoch, factor):
    params = OptimParams(**BASE, schedule="cosine", warmup_epochs=2.0)
    assert lr_factor(params, epoch, 10) == pytest.approx(factor, abs=1e-4)
