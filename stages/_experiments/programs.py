"""Other programs: what they print, or the line in which they say why not."""

import os
import subprocess
import sys
from pathlib import Path

from pipeline.base.errors import UserError


class ProgramError(UserError):
    """A program that failed; `said` is all that it wrote to stderr."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"`{what}` failed: {last_line(said)}")
        self.said = said


def output(command: list[str], what: str) -> str:
    """What a command prints. Raises ProgramError, which calls it `what`, when it fails."""
    try:
        # In a session of its own, where an interrupt from the terminal does not reach it.
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False, start_new_session=True
        )
    except FileNotFoundError:
        raise UserError(f"there is no program {command[0]}; install it") from None
    if done.returncode:
        raise ProgramError(what, done.stderr)
    return done.stdout


def environment() -> dict[str, str]:
    """Environment variables for a program that starts others by name, like dvc and python: those of ours."""
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def last_line(text: str) -> str:
    """The last line that tells of an error, else the last one."""
    # DVC adds a hint on where to ask for help.
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Having any troubles")]
    errors = [line for line in lines if line.lower().startswith(("error:", "fatal:"))]
    return (errors or lines or ["it says nothing"])[-1]
