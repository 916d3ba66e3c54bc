"""The files of a Git repository at one commit, whose name is the checksum of them all: Git verifies what arrives."""

import os
import re
import subprocess
from pathlib import Path

from pipeline.base.atomic import remove
from pipeline.base.errors import UserError
from pipeline.base.progress import progress

SILENT = 60  # seconds without a byte, after which Git gives up, over http(s) and ssh

# What a caller that is Git itself (a hook) says of its own repository.
FOREIGN = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_SHALLOW_FILE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE"),
}
NO_COMMIT = ("not our ref", "unadvertised object")
NO_REPOSITORY = ("not found", "does not appear to be a git repository", "could not read Username")


class _RefusedError(Exception):
    """Git failed; the text is its complaint."""


def fetch_commit(url: str, commit: str, downloads: Path, guide: str) -> Path:
    """The folder with the files of the repository `url` at `commit` (40 hex digits), in `downloads`.

    It is there only when it is whole, and is then used again; a broken fetch begins anew. Nobody is asked for a
    password.
    Raises UserError ending in `guide` (what else can be done) when there is no git, network, repository or commit.
    """
    folder, part = downloads / commit, downloads / f"{commit}.part"
    if folder.is_dir():
        return folder
    remove(part)
    part.mkdir(parents=True)
    try:
        _git(part, "init", "--quiet", "--template=")
        _git(part, "fetch", "--progress", "--no-tags", "--depth=1", "--", url, commit)
        _git(part, "checkout", "--quiet", "--detach", commit)
    except FileNotFoundError:
        raise UserError(f"{url}: git, which fetches it, is not there; install it, or {guide}") from None
    except _RefusedError as error:
        raise UserError(f"{url}: {_problem(str(error), commit)}, or {guide}") from None
    remove(part / ".git")
    part.replace(folder)
    return folder


def _git(folder: Path, *arguments: str) -> None:
    """Run git on the repository in `folder`, with a bar of what it receives. Raises _RefusedError when it fails."""
    config = {
        "core.autocrlf": "false",  # the same bytes on any machine
        "core.symlinks": "false",  # none leads out of the folder
        "maintenance.auto": "false",  # nothing goes on in the background
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": str(SILENT),
    }
    settings = [word for name, value in config.items() for word in ("-c", f"{name}={value}")]
    # Not `-C folder`: a relative path of a repository is seen from where the user is.
    command = ["git", f"--git-dir={folder / '.git'}", f"--work-tree={folder}", *settings, *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    told = []
    with subprocess.Popen(command, env=_environment(), text=True, errors="replace", **pipes) as process:
        try:
            with progress(what="fetch", unit="object") as bar:
                for line in process.stderr:
                    if found := re.match(r"Receiving objects: .*\((\d+)/(\d+)\)", line):
                        bar.total = int(found[2])
                        bar.update(int(found[1]) - bar.n)
                    else:
                        told.append(line.strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise _RefusedError(_complaint(told) or f"git ends with {process.returncode}")


def _environment() -> dict[str, str]:
    """That of this process, in which git speaks English, asks nothing and knows of no other repository."""
    ours = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    ours.setdefault(
        "GIT_SSH_COMMAND",
        f"ssh -o BatchMode=yes -o ConnectTimeout={SILENT} -o ServerAliveInterval={SILENT} -o ServerAliveCountMax=1",
    )
    return ours | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": ""}


def _complaint(told: list[str]) -> str:
    """The first line that says what is wrong, else the last one: the lines after it are its consequences and advice."""
    lines = [line for line in told if line]
    found = [line for line in lines if re.match("fatal: |error: |ssh: ", line)]
    return re.sub("^(fatal|error): ", "", next(iter(found), lines[-1] if lines else ""))


def _problem(complaint: str, commit: str) -> str:
    if any(sign in complaint for sign in NO_COMMIT):
        return f"the repository has no commit {commit} ({complaint}); name another one"
    if any(sign in complaint for sign in NO_REPOSITORY):
        return f"no such repository, or none for everybody ({complaint}); check the address"
    return f"cannot be fetched ({complaint}); check network and address and run again"
