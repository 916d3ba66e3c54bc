"""Stage check: params.yaml as a whole, before any other stage runs."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Check every section of params.yaml, so that a slip in a late stage's section shows at once.

    Writes data/checked, which is always the same: the first stage waits for it.
    """
    from pipeline.base.atomic import write_bytes
    from pipeline.base.names import CHECKED_FILE
    from pipeline.experiments.check import check_params

    check_params(run.params)
    write_bytes(CHECKED_FILE, b"params.yaml is in order\n")


if __name__ == "__main__":
    main()
