"""What Git knows of the project: tracked files, as they lie in the working tree."""

import subprocess

from pipeline.base.errors import UserError

# `stash create` wants to know who is at work, though its commit is never seen.
GIT = ("git", "-c", "core.quotePath=off", "-c", "user.name=compare", "-c", "user.email=compare@localhost")


def git(*arguments: str) -> str:
    """What Git prints. Raises UserError with its last line when it fails."""
    done = subprocess.run([*GIT, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"`git {arguments[0]}` failed: {(done.stderr.splitlines() or ['it says nothing'])[-1]}")
    return done.stdout


def tracked_files() -> dict[str, str]:
    """Path -> what stands for the content and mode of every tracked file: new ones once added, missing ones not."""
    # A commit of the working tree that no reference points to; none when nothing has changed.
    commit = git("stash", "create").strip() or "HEAD"
    entries = (line.split("\t") for line in git("ls-tree", "-r", commit).splitlines())
    return {path: blob for blob, path in entries}


def uncommitted_files() -> list[str]:
    """Tracked files with changes that are not committed."""
    return git("diff", "--name-only", "--relative", "HEAD").splitlines()
