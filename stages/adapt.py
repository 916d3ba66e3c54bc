"""Stage adapt: retrain the head with the linked target pictures, and without them as the control."""


from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Retrain the linear head on pooled features, one loss a category, summed; start: the fine-tuned head.

    `adapted` uses the links of target pictures to source items; `control` is trained alike without them (level L1),
    same seed and steps. Writes both to data/models/adapter/, curves to metrics/curves/adapt/.
    """


if __name__ == "__main__":
    main()
