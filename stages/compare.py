"""Command compare: settings x seeds as experiments of DVC, and one table of them. Not a stage of the chain."""

from pathlib import Path

import click

from stages._cli import one_line_errors


@click.command()
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at a time.")
@click.option("--dry-run", is_flag=True, help="Say which runs are finished, and how the others would be queued.")
@click.option("--report-only", is_flag=True, help="Run nothing; report what is finished.")
def main(file: Path, jobs: int, dry_run: bool, report_only: bool) -> None:
    """Run the settings in FILE with each of its seeds as experiments, and compare them.

    FILE (docs/comparisons/recipes.yaml shows its keys) gives the comparison its name. Every run is an experiment in
    DVC's queue, named <comparison>-<setting>-<seed>-<digest>; the digest covers what dvc.yaml says that its stages
    depend on: commands, params and tracked files, and requirements.lock. A run that is there already is not repeated,
    so a comparison that was killed goes on where it stopped. Changes that are not committed are part of the runs, new
    files once they are added to Git; data outside of Git are not looked at (`dvc exp remove` makes a run new).
    A param of another file is named as DVC does it, `file.yaml:section.key`.

    Writes metrics/compare/<comparison>.md, .json and .png: the mean over seeds with its 95 % interval, best first.
    """
    with one_line_errors("compare"):
        from stages._experiments.comparison import compare

        compare(file, jobs=jobs, dry_run=dry_run, report_only=report_only)


if __name__ == "__main__":
    main()
