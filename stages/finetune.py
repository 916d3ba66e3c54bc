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
    metrics/curves/finetune/. Held-out source items give the validation recall@1; target labels are never read.
    An interrupted run goes on from its last checkpoint. A dataset that brings features brings its head too: nothing is
    trained then.
    """
    import torch

    from pipeline.base.atomic import publish
    from pipeline.base.checkpoint import Checkpoint
    from pipeline.base.errors import UserError
    from pipeline.base.names import MANIFEST_FILE, METRICS_FOLDER, MODEL_FOLDER, RAW_FOLDER, VALIDATION
    from pipeline.base.reports import write_json
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.brought import brought_folder
    from pipeline.images.loading import Pictures
    from pipeline.images.transforms import inference_transform
    from pipeline.models.embedder import count_parameters, save_embedder
    from pipeline.params.finetune import FinetuneParams
    from pipeline.reporting.curves import write_curves
    from pipeline.table.manifest import read_manifest
    from pipeline.training.fabric import start_fabric
    from pipeline.training.loop import train
    from pipeline.training.recipe import TrainingContext, load_recipe
    from pipeline.training.split import split_source
    from pipeline.training.validation import RecallAt1

    params, runtime = run.section("finetune", FinetuneParams), run.runtime()
    method, method_params = load_recipe(run.params, params.recipe)
    table = read_manifest(MANIFEST_FILE)
    if (brought := brought_folder(RAW_FOLDER, table)) is not None:
        take_over(run, brought)
        return
    train_rows, val_rows = split_source(table, params.val_share, run.seed)
    mark = fingerprint(
        params=[run.seed, params.model_dump(), method_params.model_dump()],
        inputs=[MANIFEST_FILE],
        modules=["stages.finetune", method.__name__],
    )
    with workspace(Path(runtime.scratch), run.stage, mark) as folder:
        fabric = start_fabric(runtime.device, params.precision)
        torch.manual_seed(run.seed)
        context = TrainingContext(train_rows, RAW_FOLDER, params, run.seed, runtime.workers, fabric)
        recipe = method.build(context, method_params)
        wanted = recipe.embedder.input
        held_out = Pictures(val_rows, RAW_FOLDER, inference_transform(wanted), wanted.decoded_side)
        validate = RecallAt1(held_out, val_rows, fabric, batch_size=runtime.batch_size, workers=runtime.workers)
        if params.keep == "best" and not len(validate):
            more = "" if len(val_rows) else ", or raise finetune.val_share"
            raise UserError(
                f"finetune.keep: best needs held-out pictures that show the same items; set it to last{more}"
            )
        run.say(
            f"{params.recipe}, {params.model.backbone}, {count_parameters(recipe.embedder) / 1e6:.1f} M parameters, "
            f"{len(train_rows)} pictures, {len(val_rows)} held out, on {fabric.device}"
        )
        trained = train(
            recipe,
            validate,
            epochs=params.epochs,
            seed=run.seed,
            keep=params.keep,
            checkpoint=Checkpoint(folder / "checkpoint.pt", runtime.checkpoint_seconds),
            say=run.say,
            log_steps=runtime.log_steps,
        )
        save_embedder(folder / "model", recipe.embedder, trained.weights)
        write_curves(folder / "curves", trained.history, x="epoch")
        publish(folder / "model", MODEL_FOLDER)
        publish(folder / "curves", METRICS_FOLDER / "curves/finetune")
        kept = trained.history[trained.epoch]
        write_json(
            METRICS_FOLDER / "finetune.json", {"kept_epoch": trained.epoch + 1, **kept, "val_queries": len(validate)}
        )
        run.say(f"kept epoch {trained.epoch + 1}, {VALIDATION} {kept[VALIDATION]:.4f}")


def take_over(run: Run, brought: Path) -> None:
    """Make the head that the dataset in the folder `brought` brings the model; the curves are empty."""
    import shutil

    from pipeline.base.atomic import replacing
    from pipeline.base.names import METRICS_FOLDER, MODEL_FOLDER, VALIDATION
    from pipeline.base.reports import write_json
    from pipeline.features.brought import MODEL, read_facts
    from pipeline.reporting.curves import write_curves

    head = read_facts(brought)["head"]
    with replacing(MODEL_FOLDER) as folder:
        shutil.copytree(brought / MODEL, folder, copy_function=shutil.copyfile)
    with replacing(METRICS_FOLDER / "curves/finetune") as folder:
        write_curves(folder, [], x="epoch", panels={"loss": ["loss"], VALIDATION: [VALIDATION]})
    write_json(METRICS_FOLDER / "finetune.json", {"trained": False, "head": head})
    run.say(f"nothing is trained: {brought.name} brings its features and the head, which is taken over")


if __name__ == "__main__":
    main()
