"""Stage download: bring the dataset to data/raw/<dataset>/."""

from pathlib import Path

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Fetch, verify and unpack the dataset that data.dataset names, or draw the built-in world.

    Reads data.source (and the network where the dataset lists archives); writes data/raw/<dataset>/. An interrupted
    transfer goes on where it stopped.
    """
    from pipeline.base.atomic import publish, remove
    from pipeline.base.names import RAW_FOLDER
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.datasets._shared.face import load_dataset
    from pipeline.params.data import DataParams

    data, runtime = run.section("data", DataParams), run.runtime()
    dataset, params = load_dataset(run.params, data.dataset)
    mark = fingerprint(
        params=[run.seed, data.model_dump(), params.model_dump()],
        inputs=[],
        modules=["stages.download", dataset.__name__],
    )
    downloads = Path(runtime.scratch) / "archives"  # beside the workspace: other params may need the same archive
    with workspace(Path(runtime.scratch), run.stage, mark) as folder:
        out = folder / data.dataset
        remove(out)  # begun by a killed run
        out.mkdir()
        dataset.fetch(Path(data.source), out, params, seed=run.seed, downloads=downloads)
        publish(out, RAW_FOLDER / data.dataset)
        remove(downloads)
    root = RAW_FOLDER / data.dataset
    files = [path for path in root.rglob("*") if path.is_file()]
    run.say(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB in {root}")
    if (describe := getattr(dataset, "describe", None)) is not None:
        run.say(describe(root))


if __name__ == "__main__":
    main()
