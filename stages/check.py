"""Check params.yaml as a whole, before any stage runs."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Check every section of params.yaml, so that a slip in a late stage's section shows at once."""
    from pipeline.experiments.check import check_params

    check_params(run.params)


if __name__ == "__main__":
    main()
