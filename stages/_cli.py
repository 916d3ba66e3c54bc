"""What all stages share: options, messages, and the one place that turns an error into a line and an exit code."""

import errno
import functools
import inspect
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import click
except ModuleNotFoundError:  # the commonest slip of all, which is worth more than a traceback
    print(
        f"{Path(sys.argv[0]).stem}: error: {sys.executable} has none of the packages; "
        "run `. .venv/bin/activate`, and `make setup` before it if there is no .venv",
        file=sys.stderr,
    )
    raise SystemExit(2) from None

from pipeline.base.errors import UserError
from pipeline.base.memory import keep_memory
from pipeline.base.opening import FORBIDDEN, may_read, why_closed
from pipeline.base.processes import is_first, started_together, tells_failure
from pipeline.base.threads import wait_asleep

EXIT_USER_ERROR = 2
TRAINING = ("finetune", "adapt")  # what several processes may run together
NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than is allowed here",
}


wait_asleep()
keep_memory()


@dataclass(frozen=True)
class Run:
    """What a stage starts from: its name and the content of params.yaml."""

    stage: str
    params: dict[str, Any]

    @property
    def seed(self) -> int:
        """The top-level seed."""
        from pipeline.base.params import read_seed

        return read_seed(self.params)

    def section(self, name: str, model: type) -> Any:
        """The section `name` of params.yaml as `model`."""
        from pipeline.base.params import read_section

        return read_section(self.params, name, model)

    def runtime(self) -> Any:
        """The section `runtime`."""
        from pipeline.base.runtime import RuntimeParams

        return self.section("runtime", RuntimeParams)

    def say(self, message: str) -> None:
        """One line to stdout, after any progress bar; of several processes the first one says it."""
        if is_first():
            click.echo(f"{self.stage}: {message}")


def stage(function: Callable[..., None]) -> click.Command:
    """A click command around `function(run, ...)`, whose docstring is the help text and whose file names the stage."""
    name = Path(inspect.getfile(function)).stem

    @click.command(help=function.__doc__)
    @click.option(
        "--params",
        "params_file",
        type=click.Path(path_type=Path, readable=False),
        default="params.yaml",
        show_default=True,
        help="File with the parameters.",
    )
    @functools.wraps(function)
    def command(params_file: Path, **options: Any) -> None:
        with one_line_errors(name):
            from pipeline.base.params import load_params
            from pipeline.base.progress import lines_of_progress

            if name not in TRAINING and (count := started_together()) > 1:
                raise UserError(f"runs in one process, and {count} were started; start it without torchrun or srun")
            run = Run(name, load_params(params_file))
            with lines_of_progress(lambda line: run.say(line.removeprefix(f"{name}: "))):
                function(run, **options)

    return command


class one_line_errors:  # noqa: N801  reads as a statement: `with one_line_errors(...)`
    """Context in which a mistake of the user ends in one line on stderr and exit code 2, without a traceback.

    Of several processes the first one that fails says why; the others, which cannot go on without it, end silently.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __enter__(self) -> None:
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # odd metadata, which nobody reads

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        if error is None:
            return
        if not tells_failure():
            sys.exit(EXIT_USER_ERROR)
        if message := _message(error):
            click.echo(f"{self.stage}: error: {message}", err=True)
            sys.exit(EXIT_USER_ERROR)


def _message(error: BaseException) -> str | None:
    if isinstance(error, UserError):
        # A data worker's error comes with its traceback; the message is the last line.
        return str(error).strip().splitlines()[-1].removeprefix(f"{UserError.__module__}.{UserError.__name__}: ")
    if isinstance(error, OSError):
        return _os_message(error)
    if type(error).__name__ == "OutOfMemoryError":  # torch's, not imported here
        return "the GPU is out of memory; lower the batch size of the recipe or runtime.batch_size"
    return None


def _os_message(error: OSError) -> str | None:
    where = f" {error.filename}" if error.filename else ""
    if error.errno in NO_ROOM:
        return f"cannot write{where}: {NO_ROOM[error.errno]}; make room and run again, finished work is kept"
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    if path and not (error.errno in FORBIDDEN and may_read(path)) and (closed := why_closed(path, error)):
        return f"{path}: {closed.reason}; {closed.mend}"
    if error.errno in (errno.EROFS, *FORBIDDEN):
        return f"cannot write{where} ({error.strerror}); make the folder writable and run again"
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    return None
