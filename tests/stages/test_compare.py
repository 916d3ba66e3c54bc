"""The command compare with DVC itself, in a repository whose only stage takes a moment."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from support.chain import Outcome
from support.comparing import OWN, RENAME, STAGE, Repo
from support.project import PROJECT

from stages._experiments.queue import Queue, open_repo


@pytest.fixture
def repo(tmp_path) -> Iterator[Repo]:
    made = Repo(tmp_path / "repo")
    yield made
    with suppress(AssertionError):
        made.run(sys.executable, "-m", "dvc", "queue", "stop", "--kill")


def test_a_failing_setting_is_reported_and_finished_runs_are_not_repeated(repo, tmp_path):
    needed = tmp_path / "it's there"
    repo.write("mine.yaml", f'seeds: [1]\nsettings: {{good: {{{OWN}.level: 0.1}}, bad: {{{OWN}.needs: "{needed}"}}}}')
    repo.commit()
    repo.run(
        sys.executable, "-m", "dvc", "exp", "run", "--queue", "--name", "theirs", "--set-param", f"{OWN}.level=0.9"
    )
    # Git sees the first change, and DVC takes it along; the second is none to it.
    repo.write("stage.py", STAGE + "# edited\n")
    repo.write("untracked.txt", "")

    first = repo.compare()
    assert first.code == 2
    assert "the runs take along what is not committed: stage.py\n" in first.stdout
    assert "is missing\ncompare: error: 1 of 2 runs failed" in first.stderr
    assert first.stderr.count("\n") == 2
    assert first.stderr.startswith("compare: mine-bad-1-")
    assert f": evaluate: error: {needed} is missing\n" in first.stderr
    assert first.stderr.endswith("; try again: python -m stages.compare mine.yaml\n")
    row = "| good    | 0.1100 [0.0100, 0.2100] | 0.1100 [0.0100, 0.2100] | 0.3600 [0.2600, 0.4600] |"
    assert f"{row}       +0.2500 [+0.2500, +0.2500] |     1 |" in first.stdout
    assert "| bad     |                     n/a |" in first.stdout
    assert "a bootstrap draws the items of the one seed]" in first.stdout
    found = repo.results()
    assert found["settings"]["good"]["linked"] == {"mean": 0.36, "low": 0.26, "high": 0.46, "seeds": {"1": 0.36}}
    assert found["settings"]["bad"] == {"params": {f"{OWN}.needs": str(needed)}}
    assert repo.started()[0] == "7 0.9", "what was in the queue before is run too"
    assert sorted(repo.started()[1:]) == ["1 0.1", "1 0.5"]
    assert repo.run("git", "status", "--porcelain", "stage.py") == " M stage.py\n", "the workspace is left alone"

    # What it needed is there: only that run is repeated. Neither a commit nor the table in it changes what is finished.
    needed.touch()
    (repo.folder / "untracked.txt").unlink()
    repo.commit()
    second = repo.compare()
    assert second.stdout.startswith("compare: 2 runs, 1 of them finished\n")
    assert second.code == 0, second.stderr
    assert repo.started()[3:] == ["1 0.5"]
    assert list(repo.results()["settings"]) == ["bad", "good"], "the best comes first"
    names = ("mine.md", "mine.json", "mine.png")
    made = {name: (repo.folder / "metrics/compare" / name).read_bytes() for name in names}

    # What the stage does not read may change.
    repo.write("README.md", "edited")
    repo.run("git", "add", "README.md")
    repo.change({"recipes.dada.adversarial_weight": 0.125, "runtime.workers": 0})
    third = repo.compare()
    assert third.code == 0
    assert third.stdout.startswith("compare: 2 runs, 2 of them finished\n")
    assert len(repo.started()) == 4
    assert {name: (repo.folder / "metrics/compare" / name).read_bytes() for name in names} == made

    # Another seed, and only a look at what there is; then other code, of which there is nothing.
    repo.write("mine.yaml", repo.text("mine.yaml").replace("[1]", "[1, 2]"))
    look = repo.compare("--report-only")
    assert look.code == 0, look.stderr
    assert look.stdout.endswith("compare: 2 runs are not finished\n")
    dry = repo.compare("--dry-run").stdout.splitlines()
    assert [line.endswith(": finished") for line in dry[1:]] == [True, True, False, False]
    assert dry[3].startswith("dvc exp run --queue --name mine-good-2-")
    assert dry[3].endswith(f" -S seed=2 -S {OWN}.level=0.1")
    repo.write("stage.py", STAGE + "# edited again\n")
    repo.compare("--report-only").check_message("compare", "no run is finished")
    assert len(repo.started()) == 4


def test_a_killed_comparison_goes_on(repo):
    repo.write("mine.yaml", f"seeds: [1, 2]\nsettings: {{slow: {{{OWN}.seconds: 2}}}}")
    # The command alone dies: its runs go on.
    with repo.killed_when_started(1):
        pass
    # Then the machine does: the run is repeated.
    with repo.killed_when_started(2):
        repo.kill_worker()
    last = repo.compare()
    assert last.code == 0, last.stderr
    assert repo.started() == ["1 0.5", "2 0.5", "2 0.5"]
    assert repo.results()["settings"]["slow"]["baseline"]["seeds"] == {"1": 0.51, "2": 0.52}
    # Each seed has pictures of its own. Of a mean over all pictures there are no draws.
    assert "a bootstrap draws seeds and the items of each]" in last.stdout
    repo.write("mine.yaml", f"metric: nmi\n{repo.text('mine.yaml')}")
    assert "Student's t over seeds, since single queries have no NMI]" in repo.compare("--report-only").stdout
    assert repo.results()["settings"]["slow"]["baseline"]["low"] == pytest.approx(0.515 - 12.706205 * 0.005)


def test_intervals_over_items_that_all_seeds_have(repo):
    repo.write("mine.yaml", f"seeds: [1, 2]\nsettings: {{same: {{{OWN}.world: photos}}}}")
    done = repo.compare()
    assert done.code == 0, done.stderr
    assert "a bootstrap draws seeds and items (the same for all seeds)]" in done.stdout
    linked = repo.results()["settings"]["same"]["linked"]
    # The worse item of the worse seed, and the better of the better: each end is a sixteenth of the draws.
    assert (linked["low"], linked["high"]) == pytest.approx((0.66, 0.87))
    assert not (repo.folder / "data/queries.parquet").exists(), "nothing is checked out"

    shutil.rmtree(repo.folder / ".dvc/cache")
    repo.compare("--report-only").check_message("compare", "mine-same-1-", "DVC no longer has its data/queries.parquet")


def test_mistakes_are_refused_before_anything_is_queued(repo):
    for text, says in (
        (
            f"seeds: [1]\nsettings: {{a: {{{OWN}.levl: 1}}}}",
            [f"settings.a: params.yaml has no {OWN}.levl; did you mean {OWN}.level?"],
        ),
        ("seeds: [1]\nsettings: {a: {finetune.epochs: many}}", ["settings.a: finetune.epochs: "]),
        (
            f"seeds: [1]\nsettings: {{a: {{{OWN}.needs: '${{x}}'}}}}",
            ["needs: DVC cannot set '${x}'; write it into params.yaml"],
        ),
        ("seeds: 1", ["mine.seeds: "]),
        ("seeds: [1]\nmetric: mapp\nsettings: {a: {}}", ["metric: settings.a has no 'mapp'", "did you mean 'map'?"]),
        (
            f"seeds: [1]\nsettings: {{a: {{{RENAME}: {{'0': item, their: category}}}}}}",
            [f"{RENAME}: DVC cannot set {{'0': 'item', 'their': 'category'}}; write it into pipeline/datasets/table"],
        ),
        (
            f"seeds: [1]\nsettings: {{a: {{data.sets: [table], {RENAME}: {{0: item, their: category}}}}}}",
            [f"settings.a: {RENAME}.0"],
        ),
    ):
        repo.write("mine.yaml", text)
        repo.look().check_message("compare", *says)
    repo.write("mine.yaml", "seeds: [1]\nsettings: {a: {data.source: photos}}")
    repo.compare().check_message("compare", "photos is tracked by neither", "absolute")
    for name in ("params.yaml", "mine.yaml"):
        (repo.folder / name).write_bytes(b"seed: \xe9")
        repo.look().check_message("compare", f"{name}: not text in UTF-8; save it as UTF-8")
    assert "No experiment tasks in the queue" in repo.run(sys.executable, "-m", "dvc", "queue", "status")


def test_odd_params_are_said_as_dvc_takes_them(repo):
    # No mapping yet where its keys are the user's own; keys of several kinds, which no run reads.
    repo.change({"data.alignment": None, "recipes.unused": None})
    repo.write(
        "params.yaml", repo.text("params.yaml").replace('"unused": null', '"unused": {0: item, their: category}')
    )
    repo.write("mine.yaml", f"seeds: [1]\nsettings: {{a: {{data.alignment.tops: [x], {RENAME}: {{0: item}}}}}}")
    found = repo.look()
    assert found.code == 0, found.stderr
    mapping = f" -S '{RENAME.replace(':', ':~')}' -S '{RENAME.replace(':', ':+')}={{0:item}}'"
    assert found.stdout.endswith(f" -S seed=1 -S '+data.alignment.tops=[x]'{mapping}\n")


def test_an_interrupt_waits_while_dvc_has_the_users_changes(repo, monkeypatch):
    done = []

    def interrupted(tasks, **arguments) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        done.append(arguments)

    monkeypatch.chdir(repo.folder)
    with open_repo() as dvc:
        monkeypatch.setattr(dvc.experiments, "queue_one", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Queue(dvc).put("name", ["level=1", "set.yaml:level=2"])
    assert done == [{"name": "name", "params": {"params.yaml": ["level=1"], "set.yaml": ["level=2"]}}]


def test_outside_of_a_repository(tmp_path):
    (tmp_path / "mine.yaml").write_text("seeds: [1]\nsettings: {a: {}}")
    (tmp_path / "params.yaml").write_text("seed: 1")
    command = [sys.executable, "-m", "stages.compare", "mine.yaml"]
    env = os.environ | {"PYTHONPATH": str(PROJECT), "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    Outcome(done.returncode, done.stdout, done.stderr).check_message("compare", "`git stash` failed: fatal: not a git")
