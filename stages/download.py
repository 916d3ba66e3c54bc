"""Stage download: bring a set to data/raw/<set>/."""

from pathlib import Path

import click

from stages._cli import Run, stage


@click.option("--set", "names", multiple=True, help="Set to bring; may be given several times.  [default: data.sets]")
@stage
def main(run: Run, names: tuple[str, ...]) -> None:
    """Fetch, verify and unpack the sets in data.sets, or draw the built-in world, and read their tables.

    Reads data.source (and the network where a set lists archives); writes data/raw/<set>/, its checked table as
    data/raw/<set>.parquet, and what it tells of its pictures as data/raw/<set>.attributes.parquet. An interrupted
    transfer of an archive goes on where it stopped.
    """
    from pipeline.params.data import DataParams

    data = run.section("data", DataParams)
    for name in names or data.sets:
        bring(run, name, Path(data.source) / name)


def bring(run: Run, name: str, source: Path) -> None:
    """Fetch the set `name` from the folder `source`, and read it."""
    from pipeline.base.atomic import publish, remove
    from pipeline.base.names import RAW_FOLDER
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.datasets._shared.face import load_dataset, told_of
    from pipeline.datasets._shared.paths import check_names
    from pipeline.table.attributes import check_attributes, no_attributes
    from pipeline.table.manifest import check_table
    from pipeline.table.sets import attributes_file, table_file, write_table

    dataset, params = load_dataset(name)
    check_names(source)
    scratch = Path(run.runtime().scratch)
    mark = fingerprint(
        params=[run.seed, str(source), params.model_dump()],
        inputs=[],
        modules=["stages.download", dataset.__name__],
    )
    downloads = scratch / "archives" / name  # beside the workspace: other params may need the same archive
    with workspace(scratch, f"download-{name}", mark) as folder:
        out = folder / name
        remove(out)  # begun by a killed run
        out.mkdir()
        with told_of(source, out):
            dataset.fetch(source, out, params, seed=run.seed, downloads=downloads)
            table = check_table(dataset.read_table(out, params), name)
            attributes = no_attributes()
            if (read_attributes := getattr(dataset, "read_attributes", None)) is not None:
                attributes = check_attributes(read_attributes(out, params, table), table, name)
        for file in (table_file, attributes_file):
            remove(file(RAW_FOLDER, name))  # never that of other files
        publish(out, RAW_FOLDER / name)
        write_table(RAW_FOLDER, name, table, attributes)
        remove(downloads)
    root = RAW_FOLDER / name
    known = f", {len(attributes)} values of attributes" if len(attributes) else ""
    run.say(f"{len(table)} rows{known}, {size_of(root)} in {root}")
    if (describe := getattr(dataset, "describe", None)) is not None:
        run.say(describe(root))


def size_of(root: Path) -> str:
    """How many files are in the folder, and how large they are."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
