"""Command convert: a checkpoint of dirtorch or UDMA as a model folder of this project. Not a stage of the chain."""

from pathlib import Path

import click

from stages._cli import one_line_errors


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, readable=False))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--trust", is_flag=True, help="Unpickle objects other than tensors. This can run any code that the file brings."
)
def main(checkpoint: Path, out: Path, trust: bool) -> None:
    """Convert CHECKPOINT, a .pt of dirtorch or a .t7 of UDMA, into the new folder OUT: model.safetensors, model.json.

    A whole model gives one that data/models/backbone may hold; an adaptation layer (fc alone) gives a head alone, as
    the set udma_features reads it.
    """
    with one_line_errors("convert"):
        from pipeline.base.errors import UserError
        from pipeline.convert.dirtorch import convert
        from pipeline.convert.unpickling import load_checkpoint

        if out.exists():
            raise UserError(f"{out}: is there already; remove it or name another folder")
        done = convert(load_checkpoint(checkpoint, trust=trust), checkpoint, out)
        click.echo(f"convert: {done.what} in {out}")
        if done.ignored:
            click.echo(f"convert: ignored: {', '.join(done.ignored)}")


if __name__ == "__main__":
    main()
