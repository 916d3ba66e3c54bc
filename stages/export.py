"""Command export: a model of the run for other programs. Not a stage of the chain."""

from pathlib import Path
from typing import get_args

import click

from pipeline.base.names import ModelName
from pipeline.export.options import OPSET, Resize
from stages._cli import Run, stage


@click.option("--model", default=str(ModelName.VIEWED), show_default=True, help="baseline, or one of adapt.models.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write.  [default: data/export/<model>]")
@click.option(
    "--resize",
    type=click.Choice(get_args(Resize)),
    default="none",
    show_default=True,
    help="What the graph does to pictures first. none: it takes frames of the model's side; own: it takes any size and "
    "frames it as the model wants; squash: any size is squashed to a square, bicubic.",
)
@click.option("--opset", type=int, default=OPSET, show_default=True, help="Of ONNX; 18 or newer.")
@click.option("--raw", is_flag=True, help="Give what the head gives, not brought to unit length.")
@stage
def main(run: Run, *, model: str, out: Path | None, resize: str, opset: int, raw: bool) -> None:
    """Write a model of this run, preprocessing included, as ONNX and as a program of torch.export, with a card.

    Both are run beside the model on noise and on pictures of the test part; nothing is written if they deviate.
    """
    from pipeline.base.names import ADAPTER_FOLDER, MANIFEST_FILE, METRICS_FOLDER, MODEL_FOLDER, RAW_FOLDER
    from pipeline.export.onnx_file import check_packages

    check_packages()

    from pipeline.export.compose import load_chosen
    from pipeline.export.provenance import figures, training_lines
    from pipeline.export.write import write_export
    from pipeline.params.finetune import FinetuneParams
    from pipeline.params.weight import WeightParams
    from pipeline.table.manifest import evaluated_part, part_rows, pictured, read_manifest
    from pipeline.weighting.strategy import load_strategy

    manifest = read_manifest(MANIFEST_FILE)
    tested = manifest.iloc[part_rows(manifest, evaluated_part(manifest, "auto"))]
    out = out or Path("data/export") / model
    recipe = run.section("finetune", FinetuneParams).recipe
    told, scope = figures(METRICS_FOLDER / "evaluate.json", model)
    strategy = load_strategy(run.section("weight", WeightParams).strategy)
    measured = write_export(
        out,
        load_chosen(model, MODEL_FOLDER, ADAPTER_FOLDER),
        resize=resize,
        raw=raw,
        opset=opset,
        training=training_lines(manifest, model, recipe, unlabelled=not strategy.USES_TARGET_ITEMS),
        tested=tested[pictured(tested)],
        raw_folder=RAW_FOLDER,
        figures=told,
        scope=scope,
        scratch=Path(run.runtime().scratch),
    )
    worst = ", ".join(f"{name} {value:.2g}" for name, value in measured.exports.items())
    run.say(f"{model} in {out}; largest deviation from the model: {worst}")


if __name__ == "__main__":
    main()
