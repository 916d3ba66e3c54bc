"""Stage finetune: train the embedding model on the labelled source pictures."""

from pathlib import Path

import click

from stages._cli import Run, stage


def list_backbones(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the accepted names and stop."""
    if wanted:
        from pipeline.models.backbones import backbone_names

        click.echo("\n".join(backbone_names()))
        context.exit()


@click.option(
    "--list-backbones",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_backbones,
    help="Print the names that finetune.model.backbone accepts, and stop.",
)
@stage
def main(run: Run) -> None:
    """Train the embedding model with the recipe that finetune.recipe names.

    Reads the manifest and the source pictures; writes data/models/backbone/, metrics/finetune.json and curves in
    metrics/curves/finetune/. Held-out source items give the validation recall@1; target labels are never read. Recipe
    rpf learns from data/attributes.parquet too, and is validated by it.
    An interrupted run goes on from its last checkpoint. Recipe given trains nothing, but takes the head of a dataset
    that gives features. Several GPUs train together where torchrun or runtime.devices start several processes.
    """
    from functools import partial
    from itertools import chain

    from pipeline.base.atomic import publish
    from pipeline.base.names import ATTRIBUTES_FILE, MANIFEST_FILE, METRICS_FOLDER, MODEL_FOLDER, RAW_FOLDER, VALIDATION
    from pipeline.base.processes import is_first
    from pipeline.base.reports import write_json
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.models.kinds import save_embedder
    from pipeline.models.weights import weights_files
    from pipeline.params.finetune import FinetuneParams
    from pipeline.table.attributes import read_attributes
    from pipeline.table.manifest import read_manifest
    from pipeline.training.context import check_rows, load_recipe, reads_attributes
    from pipeline.training.curves import write_curves
    from pipeline.training.finetune import finetune

    params, runtime = run.section("finetune", FinetuneParams), run.runtime()
    method, method_params = load_recipe(run.params, params.recipe)
    table, inputs, attributes = read_manifest(MANIFEST_FILE), [MANIFEST_FILE], None
    if reads_attributes(method):
        attributes = read_attributes(ATTRIBUTES_FILE)
        inputs.append(ATTRIBUTES_FILE)
    check_rows(method, params.recipe, table)
    build = partial(method.build, params=method_params)
    sections = [section.model_dump() for section in (params, method_params)]
    mark = fingerprint(
        params=[run.seed, *sections],
        inputs=[*inputs, *chain.from_iterable(map(weights_files, sections))],
        modules=["stages.finetune", method.__name__],
    )
    with workspace(Path(runtime.scratch), run.stage, mark) as folder:
        made = finetune(
            table,
            RAW_FOLDER,
            build,
            params,
            runtime,
            attributes=attributes,
            seed=run.seed,
            checkpoint=folder / "checkpoint.pt",
            say=run.say,
        )
        if not is_first():
            return
        save_embedder(folder / "model", made.network, made.weights)
        panels = None if made.history else {"loss": ["loss"], VALIDATION: [VALIDATION]}
        write_curves(folder / "curves", made.history, x="epoch", panels=panels)
        publish(folder / "model", MODEL_FOLDER)
        publish(folder / "curves", METRICS_FOLDER / "curves/finetune")
        write_json(METRICS_FOLDER / "finetune.json", made.report)
        if made.history:
            run.say(f"kept epoch {made.report['kept_epoch']}, {made.watched} {made.report[made.watched]:.4f}")


if __name__ == "__main__":
    main()
