"""Command convert: a checkpoint of dirtorch, UDMA or RPF as a model folder. Not a stage of the chain."""

from pathlib import Path

import click

from stages._cli import one_line_errors


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, readable=False))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--trust", is_flag=True, help="Unpickle objects other than tensors. This can run any code that the file brings."
)
@click.option("--attributes", help="Of RPF: the names of its attributes in their order, with commas between them.")
@click.option(
    "--beta",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Of RPF: share of the region branch; 0.4, as its code has it.",
)
def main(checkpoint: Path, out: Path, trust: bool, attributes: str | None, beta: float | None) -> None:
    """Convert CHECKPOINT, of dirtorch, UDMA or RPF, into the new folder OUT: model.safetensors and model.json.

    A whole model gives one that data/models/backbone may hold; an adaptation layer (fc alone) gives a head alone, as
    the set udma_features reads it.
    """
    with one_line_errors("convert"):
        from pipeline.base.errors import UserError
        from pipeline.convert.checkpoint import convert
        from pipeline.convert.unpickling import load_checkpoint

        if out.exists():
            raise UserError(f"{out}: is there already; remove it or name another folder")
        names = None if attributes is None else [name.strip() for name in attributes.split(",")]
        loaded = load_checkpoint(checkpoint, trust=trust)
        done = convert(loaded, checkpoint, out, attributes=names, beta=beta)
        click.echo(f"convert: {done.what} in {out}")
        if done.ignored:
            click.echo(f"convert: ignored: {', '.join(done.ignored)}")


if __name__ == "__main__":
    main()
