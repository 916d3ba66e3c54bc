"""A Git repository that serves any of its commits, as the public hosts do."""

import os
import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder`, whatever the settings of the user; -> what it says."""
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | alone
    command = ["git", "-c", "user.name=tester", "-c", "user.email=tester@localhost", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit_all(folder: Path) -> str:
    """Commit what is in `folder`, a repository from now on; -> the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
        git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(folder, "config", "uploadpack.allowReachableSHA1InWant", "true")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return git(folder, "rev-parse", "HEAD")
