"""Command bench_page: the page under load. Not a stage of the chain."""

import subprocess
import sys
from pathlib import Path

import click

from stages._cli import one_line_errors
from stages._options import index_option


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@index_option
@click.option("--clients", type=click.IntRange(min=1), default=8, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True)
@click.option("--bad", type=click.IntRange(min=0), default=200, show_default=True, help="Uploads that are no photos.")
def main(photos: tuple[Path, ...], index: Path, clients: int, seconds: float, bad: int) -> None:
    """Serve the index on a free port of this machine, let clients search it with PHOTOS, and print what they saw."""
    with one_line_errors("bench_page"):
        from pipeline.base.errors import UserError
        from pipeline.benchmarks.page import load_page

        command = [sys.executable, "-m", "stages.serve", "--index", str(index), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                said = server.stdout.readline()
                address = next((word for word in said.split() if word.startswith("http://")), None)
                if address is None:
                    raise UserError(f"the page did not start ({said.strip() or 'see above'})")
                load = load_page(address, server.pid, photos, clients=clients, seconds=seconds, bad=bad)
            finally:
                server.terminate()
        for line in [f"{clients} clients, {len(photos)} photos", *load.lines()]:
            click.echo(line)


if __name__ == "__main__":
    main()
