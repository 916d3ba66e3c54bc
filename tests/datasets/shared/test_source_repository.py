"""A Git repository at one commit: what arrives, what is said when nothing does."""

import shutil
import socket
from pathlib import Path

import pytest
from support.git_origin import commit_all

import pipeline.datasets._shared.repository as module
from pipeline.base.errors import UserError
from pipeline.datasets._shared.repository import fetch_commit

GUIDE = "put it there by hand"


@pytest.fixture(autouse=True)
def _settings_of_another_user(tmp_path, monkeypatch):
    (tmp_path / "gitconfig").write_text("[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def origin(tmp_path) -> tuple[Path, str]:
    """A repository and a commit in it that is not its last one."""
    folder = tmp_path / "origin"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a.txt").write_bytes(b"one\ntwo\n")
    (folder / "out.txt").symlink_to("/etc/passwd")
    commit = commit_all(folder)
    (folder / "below" / "a.txt").write_bytes(b"later")
    commit_all(folder)
    return folder, commit


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("form", ["{}", "file://{}", "relative"])
def test_files_of_the_commit(origin, tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    folder, commit = origin
    url = "./origin" if form == "relative" else form.format(folder)
    found = fetch_commit(url, commit, Path("downloads"), GUIDE)
    assert files(found) == ["below/a.txt", "out.txt"]
    assert (found / "below/a.txt").read_bytes() == b"one\ntwo\n"
    assert not (found / "out.txt").is_symlink(), "nothing outside the folder can be read through it"
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == [commit]


def test_it_is_fetched_once(origin, tmp_path):
    folder, commit = origin
    found = fetch_commit(str(folder), commit, tmp_path / "downloads", GUIDE)
    shutil.rmtree(folder)
    assert fetch_commit(str(folder), commit, tmp_path / "downloads", GUIDE) == found
    assert files(found) == ["below/a.txt", "out.txt"]


def test_a_broken_fetch_begins_anew(origin, tmp_path):
    folder, commit = origin
    part = tmp_path / "downloads" / f"{commit}.part"
    (part / ".git").mkdir(parents=True)
    (part / ".git/shallow.lock").touch()  # a killed git leaves locks, which stop the next one
    (part / ".git/HEAD").write_text("nonsense")
    (part / "half.txt").touch()
    found = fetch_commit(str(folder), commit, tmp_path / "downloads", GUIDE)
    assert files(found) == ["below/a.txt", "out.txt"]
    assert not part.exists()


def test_the_repository_of_a_caller_is_left_alone(origin, tmp_path, monkeypatch):
    folder, commit = origin
    (tmp_path / "index").write_text("precious")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))  # as in a hook
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert files(fetch_commit(str(folder), commit, tmp_path / "downloads", GUIDE)) == ["below/a.txt", "out.txt"]
    assert (tmp_path / "index").read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


def test_git_asks_nobody(monkeypatch):
    monkeypatch.setenv("GIT_ASKPASS", "/usr/bin/ask")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "1")
    environment = module._environment()
    assert (environment["GIT_ASKPASS"], environment["GIT_TERMINAL_PROMPT"]) == ("", "0")
    assert "BatchMode=yes" in environment["GIT_SSH_COMMAND"]


@pytest.mark.parametrize(
    ("url", "commit", "says"),
    [
        ("{origin}", "0" * 40, "the repository has no commit 0{40} (.*not our ref.*); name another one, or put it"),
        (
            "{origin}-2",
            None,
            "no such repository, .*does not appear to be a git repository.*; check the address, or put",
        ),
        (
            "http://127.0.0.1:9/set",
            None,
            "cannot be fetched .*127.0.0.1.*; check network and address and run again, or",
        ),
        ("--upload-pack=touch pwned", None, "cannot be fetched .strange pathname"),
        ("ext::touch pwned", None, "cannot be fetched .*transport 'ext' not allowed"),
    ],
)
def test_what_cannot_be_fetched(origin, tmp_path, monkeypatch, url, commit, says):
    monkeypatch.chdir(tmp_path)
    url = url.format(origin=origin[0])
    with pytest.raises(UserError, match=says) as caught:
        fetch_commit(url, commit or origin[1], tmp_path / "downloads", GUIDE)
    assert str(caught.value).startswith(f"{url}: ")
    assert str(caught.value).endswith(f", or {GUIDE}")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "downloads" / origin[1]).exists()
    assert not (tmp_path / "pwned").exists()


def test_a_server_that_falls_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SILENT", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes the connection and says nothing
        url = f"http://127.0.0.1:{server.getsockname()[1]}/set"
        with pytest.raises(UserError, match="cannot be fetched .*too slow.*; check network"):
            fetch_commit(url, "1" * 40, tmp_path, GUIDE)


def test_without_git(origin, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git, which fetches it, is not there; install it, or put it there by hand$"):
        fetch_commit(str(origin[0]), origin[1], tmp_path, GUIDE)


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        (["remote: Counting", "error: RPC failed; curl 56", "fatal: early EOF"], "RPC failed; curl 56"),
        (["fatal: 'x' is no repository", "", "Please make sure", "and the repository exists."], "'x' is no repository"),
        (["ssh: Could not resolve hostname x", "fatal: Could not read from remote repository."], "ssh: Could not"),
        (["something", "else"], "else"),
        ([], ""),
    ],
)
def test_the_line_that_says_why(told, complaint):
    assert module._complaint(told).startswith(complaint)
    assert bool(module._complaint(told)) == bool(complaint)
