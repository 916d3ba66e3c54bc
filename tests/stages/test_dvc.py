"""The chain under DVC, in a repository of its own: what runs again, what does not, and experiments.

The chain is run in this process first and handed to DVC with `dvc commit`, which saves starting every stage once more.
"""

import json
import os
import shutil
import time

import pandas as pd
import pytest
from PIL import Image, ImageOps
from ruamel.yaml import YAML
from support.chain import STAGES, Chain
from support.repository import EVERYTHING, Repo, ran

BEHIND_ADAPT = {"adapt", "index", "evaluate"}
LINKED = {"adapt.models": ["control", "linked"], "index.models": ["baseline", "linked"]}  # the last one has a rate
INDEX_REPORT = "metrics/index.json"  # has milliseconds, which no run takes again
WAIT = 120  # seconds that a busy machine may need to start a stage


def test_repro_and_experiments(finished, tmp_path):
    chain = finished.copy(tmp_path / "repo", LINKED)
    chain.succeed("adapt", "index", "evaluate")
    repo = Repo(chain)
    lock = _lock(repo)

    # Nothing to do; then everything once more, to the same bytes.
    assert repo.repro() == set()
    assert repo.repro("--force") == EVERYTHING
    assert _lock(repo) == lock
    left = repo.git("status", "--porcelain").split()
    # Milliseconds a query are told in it, now and then the same ones.
    assert left in (["M", "dvc.lock", "M", INDEX_REPORT], []), "what a run leaves is tracked or ignored"
    repo.commit()

    # What cannot change the result of this chain changes no stage.
    others = {"pipeline/datasets/street2shop/params.yaml:unpaired": "train", "recipes.dada.batch_size": 8}
    repo.chain.change(others | {"runtime.workers": 1})
    repo.append("pipeline/datasets/street2shop/reader.py", "# edited\n")
    repo.append("stages/check.py", "# edited\n")
    assert repo.changed() == set()

    # An edit reaches the stages that run the code, and no other.
    repo.append("pipeline/evaluation/metrics/cmc.py", "# edited\n")
    assert repo.repro() == {"evaluate"}
    assert repo.repro() == set()
    repo.append("pipeline/training/loop.py", "# edited\n")
    repo.append("pipeline/strategies/ws5.py", "# edited\n")
    assert repo.changed() == {"finetune", "weight", "adapt"}, "the loop is that of both"
    repo.git("checkout", "--quiet", "pipeline/training", "pipeline/strategies")
    repo.commit()

    # Experiments train with their own value, and only the stages behind it run.
    assert ran(repo.dvc("exp", "run", "--name", "here", "--set-param", "adapt.lr=0.01")) == BEHIND_ADAPT
    diff = json.loads(repo.dvc("metrics", "diff", "--json"))
    assert set(diff) == {"metrics/headline.json"}
    assert not [name for name in diff["metrics/headline.json"] if name.startswith("baseline")]
    repo.git("stash", "--quiet")
    _can_be_read_at_a_glance(repo, changed="adapt.lr")
    said = repo.dvc("exp", "run", "--temp", "--name", "temp", "--set-param", "adapt.lr=0.02")
    assert ran(said) == BEHIND_ADAPT
    repo.dvc("exp", "run", "--queue", "--set-param", "adapt.lr=0.03,0.04")
    repo.dvc("exp", "run", "--run-all")
    losses = _losses(repo)
    assert set(losses) == {0.001, 0.01, 0.02, 0.03, 0.04}
    assert len(set(losses.values())) == 5, "every value really trained"
    assert repo.git("status", "--porcelain") == "", "the workspace is left alone"


def test_sets_are_brought_one_by_one_and_joined(finished, tmp_path):
    shutil.copytree(finished.folder / "data/raw/atelier", tmp_path / "incoming/table")
    (tmp_path / "incoming/atelier").mkdir()
    repo = Repo(finished.copy(tmp_path / "repo", {"data.source": str(tmp_path / "incoming")}))
    manifest = repo.folder / "data/manifest.parquet"
    alone = pd.read_parquet(manifest)

    repo.chain.change({"data.sets": ["table", "atelier"]})
    assert repo.repro("prepare") == {"download@table", "prepare"}
    both = pd.read_parquet(manifest)
    assert both["dataset"].tolist() == ["table"] * len(alone) + ["atelier"] * len(alone)
    assert both["image"].tolist() == [*alone["image"].str.replace("atelier/", "table/"), *alone["image"]]

    # An edit to a reader, or another value of its params, brings that set alone.
    repo.append("pipeline/datasets/table/reader.py", "# edited\n")
    assert repo.repro("prepare") == {"download@table"}, "and what it gives is the same"
    said = repo.dvc("repro", "--dry", "prepare")
    assert ran(said) == set()
    repo.chain.change({"pipeline/datasets/table/params.yaml:where": {"meta_domain": ["source"]}})
    assert repo.repro("prepare") == {"download@table", "prepare"}

    # What is not chosen any more changes nothing behind prepare, though it lies there.
    repo.chain.change({"data.sets": ["atelier"]})
    assert repo.repro("prepare") == {"prepare"}
    assert (repo.folder / "data/raw/table").is_dir()
    assert repo.changed() == set()
    assert pd.read_parquet(manifest).equals(alone)

    # A param of a set is set like any other.
    name = "pipeline/datasets/atelier/params.yaml:image_size"
    said = repo.dvc("exp", "run", "--temp", "--name", "larger", "--set-param", f"{name}=48", "prepare")
    assert ran(said) == {"download@atelier", "prepare"}


def _lock(repo: Repo) -> dict:
    """The content of dvc.lock, but for the digest of what has milliseconds in it."""
    stages = YAML(typ="safe").load((repo.folder / "dvc.lock").read_text())["stages"]
    stages["index"]["outs"] = [out for out in stages["index"]["outs"] if out["path"] != INDEX_REPORT]
    return stages


def _can_be_read_at_a_glance(repo: Repo, changed: str) -> None:
    """Few metrics, and a table of what differs that fits a wide terminal."""
    shown = json.loads(repo.dvc("metrics", "show", "--json"))[""]["data"]
    values = [value for file in shown.values() for value in _leaves(file["data"])]
    assert set(shown) == {"metrics/finetune.json", "metrics/headline.json"}
    assert len(values) <= 20
    table = repo.dvc("exp", "show", "--only-changed").splitlines()
    assert max(map(len, table)) <= 160
    for column in (changed, "linked.map_trapezoidal", "gain"):
        assert any(column in line for line in table)


def _leaves(tree: object) -> list:
    return [leaf for branch in tree.values() for leaf in _leaves(branch)] if isinstance(tree, dict) else [tree]


def _losses(repo: Repo) -> dict[float, float]:
    """adapt.lr -> training loss of the linked head, of HEAD and every experiment."""
    head = json.loads(repo.dvc("exp", "show", "--json"))[1]
    found = [head, *(experiment["revs"][-1] for experiment in head["experiments"])]
    losses = {}
    for one in found:
        lr = one["data"]["params"]["params.yaml"]["data"]["adapt"]["lr"]
        losses[lr] = json.loads(repo.git("show", f"{one['rev']}:metrics/adapt.json"))["linked"]["loss"]
    return losses


@pytest.fixture
def own_photos(finished, tmp_path) -> Repo:
    """A chain on a folder of a user's own, with a table."""
    photos = tmp_path / "photos/table"
    shutil.copytree(finished.folder / "data/raw/atelier", photos)
    chain = Chain(tmp_path / "repo", {"data.sets": ["table"], "data.source": str(photos.parent)})
    chain.succeed(*STAGES)
    return Repo(chain)


def test_own_photos_and_a_stage_that_outlives_dvc(own_photos, tmp_path):
    repo = own_photos
    assert repo.changed() == set()

    # Another picture under the same name: every stage that sees pictures or the manifest.
    path = next((tmp_path / "photos").rglob("*.jpg"))
    with Image.open(path) as picture:
        ImageOps.invert(picture.convert("RGB")).save(path)
    assert repo.changed() == {"download@table"}
    assert repo.repro("prepare") == {"download@table", "prepare"}
    assert repo.changed() == EVERYTHING - {"download@atelier", "prepare"}

    # SIGTERM ends dvc but not the stage; a second run names the first instead of training twice.
    repo.chain.change({"finetune.epochs": 1000})
    holder = repo.folder / "data/.partial/finetune/holder.json"
    with repo.running("repro", "finetune") as first:
        deadline = time.monotonic() + WAIT
        while not holder.exists():
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stage = json.loads(holder.read_text())["pid"]
        first.terminate()
        first.wait()
        os.kill(stage, 0)  # it is alive
        with repo.running("repro", "finetune") as second:
            _, error = second.communicate(timeout=WAIT)
        assert second.returncode > 0
        said = [line for line in error.splitlines() if line.startswith("finetune: error:")]
        assert len(said) == 1
        assert f"process {stage} on" in said[0]
        assert "is at work on this stage" in said[0]
        assert holder.exists()
