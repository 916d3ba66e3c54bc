"""Command bench_search: a query against a large index, in the published ways and in ours. Not a stage of the chain."""

from pathlib import Path

import click

from stages._cli import one_line_errors


@click.command()
@click.option("--rows", type=click.IntRange(min=2000), default=139_709, show_default=True, help="Published: 139709.")
@click.option("--dim", type=click.IntRange(min=8), default=512, show_default=True, help="Of drawn embeddings.")
@click.option(
    "--features",
    type=click.Path(path_type=Path),
    help="A file of data/features: its embeddings and colours are repeated with noise.  [default: drawn ones]",
)
@click.option("--queries", type=click.IntRange(min=2), default=100, show_default=True)
@click.option("--recall", type=click.FloatRange(0, 1), default=0.98, show_default=True, help="That is tuned for.")
def main(rows: int, dim: int, features: Path | None, queries: int, recall: float) -> None:
    """Time queries on one thread: scipy's fused scan and the 50 lists of k-means as published, flat, and our lists.

    The share of the exact answer that a way finds stands beside its time. Prints the table and writes it to
    metrics/bench.
    """
    with one_line_errors("bench_search"):
        from tempfile import TemporaryDirectory

        import torch

        from pipeline.base.names import METRICS_FOLDER
        from pipeline.base.reports import write_json, write_text
        from pipeline.benchmarks.measure import conditions, hardware_name
        from pipeline.benchmarks.search import make_world, read_real, search_table, search_ways, time_ways

        kind = "drawn" if features is None else "real"
        with TemporaryDirectory() as folder:
            world = make_world(None if features is None else read_real(features), rows, dim, queries, Path(folder))
            figures = time_ways(world, search_ways(world, recall))
        name = hardware_name(torch.device("cpu"))
        table = f"{rows:,} rows x {world.deep.dim}, {kind}\n\n{search_table(figures)}"
        out = METRICS_FOLDER / "bench" / f"{name}-search-{rows}-{kind}"
        write_text(out.with_suffix(".md"), table)
        write_json(out.with_suffix(".json"), {"conditions": {"hardware": name, **conditions()}, "ways": figures})
        click.echo(table)


if __name__ == "__main__":
    main()
