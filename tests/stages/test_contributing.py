"""What CONTRIBUTING.md says to write and to run is written and run, in a repository around the tiny chain."""

import re
import subprocess

import pytest
from PIL import Image
from support.project import PROJECT
from support.repository import Repo

TEXT = (PROJECT / "CONTRIBUTING.md").read_text()
SECTIONS = dict(re.findall(r"^## (Add a [a-z]+)$(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.M | re.S)
MOST_LINES = 28  # of one block


@pytest.fixture(scope="module")
def repo(finished, tmp_path_factory) -> Repo:
    return Repo(finished.copy(tmp_path_factory.mktemp("contributing")))


def test_every_kind_of_addition_is_there():
    assert set(SECTIONS) == {f"Add a {kind}" for kind in ("dataset", "recipe", "strategy", "metric", "stage")}
    assert all(block[2].count("\n") <= MOST_LINES for text in SECTIONS.values() for block in BLOCK.findall(text))


@pytest.mark.parametrize("title", SECTIONS)
def test_an_addition_is_new_files_and_works_as_it_stands(repo, title):
    repo.git("reset", "--quiet", "--hard")
    repo.git("clean", "--quiet", "--force", "-d", "pipeline", "stages")
    repo.dvc("checkout", "--quiet", "--force")
    for kite in range(6):
        path = repo.folder / f"data/incoming/kites/images/kite_{kite % 3}/{kite}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (40 * kite, 90, 200 - 30 * kite)).save(path)
    for kind, name, content in BLOCK.findall(SECTIONS[title]):
        if kind == "sh":
            _run(repo, content)
        elif name == "dvc.yaml":
            written = repo.folder / name
            written.write_text(written.read_text().replace("stages:\n", f"stages:\n{content}", 1))
        else:
            written = repo.folder / name
            assert not written.exists(), "an addition touches new files only"
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(content)
            repo.git("add", name)
    changed = repo.git("diff", "--name-only", "HEAD", "--", "pipeline", "stages").splitlines()
    added = repo.git("diff", "--name-only", "--diff-filter=A", "HEAD", "--", "pipeline", "stages").splitlines()
    assert changed == added


def _run(repo: Repo, lines: str) -> None:
    # `make` would build an environment of its own; this one is there.
    script = "set -e\n" + lines.replace("make deps", "python -m stages.deps")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        cwd=repo.folder,
        env=repo.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
