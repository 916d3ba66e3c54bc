"""Stage draw: street views of catalogue pictures, as pooled features."""

from pathlib import Path

from pipeline.base.names import Part
from stages._cli import Run, stage
from stages._options import parts_option


@parts_option
@stage
def main(run: Run, parts: tuple[str, ...]) -> None:
    """Write data/views/<part>.h5: pooled features of street views of the catalogue pictures of each part.

    Of source_train there are views of views.items items, on which adapt chooses how to use them; of the others in
    views.parts, of all shop pictures that are no queries, nor of split test. The file of any other part is empty. An
    interrupted run goes on from its last whole chunk, and chunks in runtime.cache are not computed again.
    """
    from pipeline.base.devices import be_deterministic, torch_device
    from pipeline.base.names import MANIFEST_FILE, MODEL_FOLDER, RAW_FOLDER, VIEWS_FOLDER
    from pipeline.base.workspace import fingerprint, workspace
    from pipeline.features.viewing import draw_views, viewed_parts
    from pipeline.models.kinds import load_embedder
    from pipeline.models.network import attributes_of
    from pipeline.params.views import ViewsParams
    from pipeline.table.manifest import has_pictures, read_manifest

    params, runtime = run.section("views", ViewsParams), run.runtime()
    table = read_manifest(MANIFEST_FILE)
    pictured = has_pictures(table) and bool(params.number)
    wanted = set(parts).intersection(viewed_parts(table, params) if pictured else ())
    embedder, device = load_embedder(MODEL_FOLDER) if wanted else None, torch_device(runtime.device)
    be_deterministic()
    if embedder is not None and attributes_of(embedder):
        run.say("the model embeds a picture for an attribute, and nothing mixes views into that")
        wanted = set()
    for part in parts:
        out = VIEWS_FOLDER / f"{part}.h5"
        mark = fingerprint(
            params=[run.seed, params.model_dump(), part, runtime.chunk_rows, runtime.batch_size],
            inputs=[MANIFEST_FILE, MODEL_FOLDER],
            modules=["stages.draw"],
        )
        with workspace(Path(runtime.scratch), f"draw-{part}", mark) as folder:
            drawn = draw_views(
                embedder if part in wanted else None,
                table,
                Part(part),
                out,
                model=MODEL_FOLDER,
                raw=RAW_FOLDER,
                params=params,
                runtime=runtime,
                seed=run.seed,
                device=device,
                work=folder,
            )
        run.say(f"{drawn} of {part} in {out}")


if __name__ == "__main__":
    main()
