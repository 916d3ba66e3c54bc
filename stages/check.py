"""Stage check: params.yaml as a whole, before any other stage runs."""

from pathlib import Path

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Check every section of params.yaml, so that a slip in a late stage's section shows at once.

    The folders that the sets are read from must be there, with names that DVC can write down. Writes data/checked,
    which is always the same: the first stage waits for it.
    """
    from pipeline.base.atomic import write_bytes
    from pipeline.base.errors import UserError
    from pipeline.base.names import CHECKED_FILE
    from pipeline.datasets._shared.paths import check_names
    from pipeline.experiments.check import check_params
    from pipeline.params.data import DataParams

    check_params(run.params)
    data = run.section("data", DataParams)
    for name in data.sets:
        source = Path(data.source) / name
        if not source.is_dir():
            raise UserError(f"data.source: no folder {source}; make it, and put there what the set {name} is read from")
        check_names(source)
    write_bytes(CHECKED_FILE, b"params.yaml is in order\n")


if __name__ == "__main__":
    main()
