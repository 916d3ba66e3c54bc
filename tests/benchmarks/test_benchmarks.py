"""That each benchmark does the work it names, on sizes that take no time; what it measures is not looked at."""

from collections import Counter

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from support.project import default_params

from pipeline.benchmarks import suite
from pipeline.benchmarks.adaptation import draw_case, step_case
from pipeline.benchmarks.attributes import attribute_step_case, masks_case
from pipeline.benchmarks.case import Case, Trial
from pipeline.benchmarks.evaluation import evaluation_case
from pipeline.benchmarks.exported import onnx_case
from pipeline.benchmarks.extraction import extraction_case
from pipeline.benchmarks.finch import finch_case
from pipeline.benchmarks.margin import classes_case, epoch_case
from pipeline.benchmarks.measure import Measurement, hardware_name, measure, measure_apart
from pipeline.benchmarks.memory import peak_memory
from pipeline.benchmarks.report import bench_table
from pipeline.benchmarks.training import TRAINED, training_cases
from pipeline.benchmarks.views import index_case, views_case
from pipeline.clustering.distances import Points
from pipeline.clustering.neighbours import first_neighbours
from pipeline.models.embedder import Embedder
from stages.bench import main

CPU = torch.device("cpu")
TRAINING = dict(zip(TRAINED, training_cases(default_params(), "timm/resnet10t", 32), strict=True))
SMALL = [
    finch_case(300, 8),
    step_case(2, 3, 8),
    draw_case(2, 3, 8),
    evaluation_case(20, 30, 4, relevant=3),
    extraction_case("timm/resnet10t", 32, 5, 2, 0),
    views_case("timm/resnet10t", 32, 2),
    index_case("timm/resnet10t", 32, 4, 2, 0),
    onnx_case("timm/resnet10t", 32, 2),
    *TRAINING.values(),
    classes_case(30, 8, 4, most_ratio=9),
    classes_case(30, 8, 4, sampled=10, most_ratio=9),
    epoch_case(260, 50, 16, default_params(), most_ratio=9),
    attribute_step_case(default_params(), "timm/resnet10t", 3, "timm/test_vit", 32),
    masks_case(2, 40, 32),
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_every_case_runs_and_is_in_the_suite(case):
    assert measure(case, CPU, repeats=2).name == case.name
    assert case.group in suite.GROUPS
    assert {one.group for one in suite.published_sizes(2, default_params())} == set(suite.GROUPS)


def test_a_case_runs_in_a_process_of_its_own():
    assert measure_apart(SMALL[0], CPU, repeats=1).name == SMALL[0].name


def test_limit_of_finch_finds_the_same_neighbours(tmp_path):
    trial = finch_case(300, 8).prepare(CPU, tmp_path)
    (x,) = trial.limit.args
    assert trial.limit().equal(first_neighbours(Points(x, "cosine"))[0])


@pytest.mark.parametrize("recipe", TRAINING)
def test_limit_of_training_runs_the_networks_of_the_step(tmp_path, recipe):
    passes, _ = TRAINING[recipe].prepare(CPU, tmp_path).limit.args
    embedded = [one for one in passes if isinstance(one.network, Embedder)]
    assert embedded
    assert all(one.learns and one.inputs[0].shape[1:] == (3, 32, 32) for one in embedded)
    assert all(one.embeds == isinstance(one.network, Embedder) for one in passes)
    if recipe == "dada":
        params = default_params()["recipes"]["dada"]
        others = Counter(one.network[-1].num_features for one in passes if one not in embedded)
        evaluations = params["discriminator_steps"] + params["generator_steps"]
        assert len(embedded) == params["generator_steps"]
        assert others == {3: evaluations, 500: 2 * evaluations}, "domains of all rows at once, classes of two kinds"


def test_limit_of_an_attribute_step_runs_both_branches_for_each_role(tmp_path):
    case = attribute_step_case(default_params(), "timm/resnet10t", 3, "timm/test_vit", 32)
    passes, _ = case.prepare(CPU, tmp_path).limit.args
    assert [type(one.branch).__name__ for one in passes] == ["MapBranch", "PatchBranch"] * 3
    assert all(one.inputs[0].shape == (16, 3, 32, 32) for one in passes)


def test_plain_masks_and_crops_are_those_of_the_recipe(tmp_path):
    trial = masks_case(2, 40, 32).prepare(CPU, tmp_path)
    (crops, *masks), (plain_crops, *plain_masks) = trial.ours(), trial.limit()
    assert (crops - plain_crops).abs().max() < 0.03  # Pillow rounds to bytes
    assert all(map(torch.equal, masks, plain_masks))


def test_peak_memory_is_that_of_the_work():
    def work():
        return np.ones(25_000_000).sum()  # 200 MB

    assert peak_memory(work, CPU) == pytest.approx(200, abs=40)


def test_times_are_medians_of_alternate_runs(monkeypatch, tmp_path):
    clock, order = iter(range(100)), []
    monkeypatch.setattr("pipeline.benchmarks.measure.perf_counter", lambda: next(clock))
    trial = Trial(ours=lambda: order.append("ours"), limit=lambda: [order.append("limit"), next(clock)])
    made = measure(Case("finch", "x", "y", lambda *_: trial, most_ratio=0.6, most_mb=1e6), CPU, repeats=3)
    assert order == ["ours", *["limit", "ours"] * 3]
    assert (made.limit_seconds, made.seconds, made.ratio, made.kept) == (2, 1, 0.5, True)


@pytest.mark.parametrize(("ratio", "peak", "kept"), [(1.2, 600, "yes"), (1.3, 600, "NO"), (1.2, 601, "NO")])
def test_table_says_whether_the_bounds_hold(ratio, peak, kept):
    made = Measurement("finch", "FINCH", "plain product", ratio, 1.0, 1.2, peak, 600)
    header, _, row, *_, limit = bench_table([made]).splitlines()
    assert [cell.strip() for cell in row.strip("| ").split("|")][-1] == kept
    assert header.count("|") == row.count("|")
    assert limit == "- limit of FINCH: plain product"


def test_command_writes_table_and_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "published_sizes", lambda workers, params: SMALL)
    params = tmp_path / "params.yaml"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    params.write_text(
        "runtime: {device: cpu, workers: 0, batch_size: 2, chunk_rows: 2, block_rows: 2, log_steps: 1, "
        "checkpoint_seconds: 0.0, scratch: x, devices: 1, cache: null, cache_gb: 1.0}"
    )
    done = CliRunner().invoke(main, ["--params", str(params), "--only", "finch", "--repeats", "1"])
    assert done.exit_code == 0, done.output
    name = f"{hardware_name(CPU)}-finch"
    assert sorted(path.name for path in (tmp_path / "here/metrics/bench").iterdir()) == [f"{name}.json", f"{name}.md"]
    done = CliRunner().invoke(main, ["--params", str(params), "--only", "finsh"])
    assert done.exit_code == 2
    assert f"unknown group 'finsh'; known: {', '.join(suite.GROUPS)}" in done.stderr
