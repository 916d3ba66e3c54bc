"""Stage evaluate: baseline, control and adapted under one protocol."""

from pathlib import Path
from typing import Any

from pipeline.base.names import Part
from stages._cli import Run, stage

SHEETS = ("baseline", "adapted")  # whose results are drawn, one row each
GAINS = (("adapted", "control"), ("adapted", "baseline"), ("control", "baseline"))


@stage
def main(run: Run) -> None:
    """Search with the baseline, control and adapted heads, and say what each finds.

    evaluate.meta_domain says whose test part it is, evaluate.protocol which gallery a query searches and what is
    measured. Where nothing was adapted there is the baseline alone.
    Writes metrics/evaluate.json (means), categories.json (each category), gains.json (95 % intervals) and evaluate.md
    (the table), and pictures to metrics/plots/: CMC curves, bars a category, a sheet for each of some fixed queries.
    """
    import torch

    from pipeline.base.atomic import replacing
    from pipeline.base.devices import torch_device
    from pipeline.base.names import (
        CATEGORY,
        DATASET,
        FEATURES_FOLDER,
        ITEM,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        RAW_FOLDER,
        SPLIT,
        MetaDomain,
    )
    from pipeline.datasets._shared.alignment import read_alignment
    from pipeline.evaluation.protocols import PROTOCOLS, choose_protocol
    from pipeline.evaluation.searches import EmbeddedPictures, sides
    from pipeline.features.store import open_parts
    from pipeline.params.evaluate import EvaluateParams
    from pipeline.reporting.sheets import SHOWN, pick_queries, write_sheets
    from pipeline.table.manifest import check_part, has_pictures, read_manifest

    params, runtime = run.section("evaluate", EvaluateParams), run.runtime()
    manifest = read_manifest(MANIFEST_FILE)
    part = evaluated_part(params.meta_domain, manifest)
    (features,) = open_parts(FEATURES_FOLDER, [part], manifest, MODEL_FOLDER)
    check_part(MANIFEST_FILE, part, features.row)
    table, pictures = manifest.iloc[features.row], has_pictures(manifest)
    splits = table[SPLIT].to_numpy(dtype=str)
    protocol_name = choose_protocol(params.protocol, str(table[DATASET].iloc[0]), splits)
    protocol, dtype = PROTOCOLS[protocol_name], getattr(torch, params.precision)
    device = torch_device(runtime.device)
    embeddings = {"baseline": features.embedding} | {
        name: head.to(device).embed(features.pooled, runtime.block_rows)
        for name, head in load_adapted(features).items()
    }

    items, categories = (table[column].to_numpy(dtype=str) for column in (ITEM, CATEGORY))
    query_rows, gallery_rows = sides(splits)
    results, ranked = {}, {}
    for name, embedded in embeddings.items():
        pictures = EmbeddedPictures(torch.from_numpy(embedded).to(device), items, categories, features.row)
        queries, gallery = pictures.take(query_rows), pictures.take(gallery_rows)
        results[name] = protocol.score(queries, gallery, dtype=dtype)
        chosen = pick_queries(results[name], params.sheets if pictures else 0)  # the same for every model
        if name in SHEETS:
            ranked[name] = protocol.top_k(queries.take(chosen), gallery, SHOWN, dtype=dtype)
    scopes = {"all": None}
    if part.startswith(MetaDomain.TARGET):  # only target categories are aligned
        aligned = {name for name, listed in read_alignment(run.params).items() if listed}
        if aligned & set(results["baseline"].categories):
            scopes["aligned"] = aligned
    summaries = {name: result.summary(scopes.get("aligned", ())) for name, result in results.items()}
    gains = gains_of(results, scopes, resamples=params.bootstrap, seed=run.seed)
    with replacing(METRICS_FOLDER / "plots") as folder:
        folder.mkdir()
        draw_figures(folder, results, summaries, protocol.headline[0], gallery_rows=len(gallery_rows))
        write_sheets(
            folder / "gallery",
            queries=table.iloc[query_rows],
            gallery=table.iloc[gallery_rows],
            raw=RAW_FOLDER,
            chosen=chosen,
            ranked=ranked,
            results=results,
        )
    if params.sheets and not pictures:
        run.say(f"no sheets of results: {table[DATASET].iloc[0]} has no pictures")
    run.say(f"protocol {protocol_name} on {part}")
    write_results(run, summaries, list(scopes), gains, protocol)


def load_adapted(features: Any) -> dict[str, Any]:
    """The heads of `adapt` by name, which take these `features`."""
    from pipeline.base.names import ADAPTER_FOLDER
    from pipeline.models.folder import load_heads

    heads = load_heads(ADAPTER_FOLDER, features.widths[0])
    features.check_heads({ADAPTER_FOLDER / name: head for name, head in heads.items()})
    return heads


def evaluated_part(meta_domain: str, manifest: Any) -> Part:
    """The test part of `meta_domain`; auto is the target where it has test pictures, else the source."""
    from pipeline.table.manifest import part_rows

    if meta_domain == "auto":
        return Part.TARGET_TEST if len(part_rows(manifest, Part.TARGET_TEST)) else Part.SOURCE_TEST
    return Part(f"{meta_domain}_test")


def gains_of(results: dict, scopes: dict, *, resamples: int, seed: int) -> dict:
    """Interval of every metric's gain, for each pair of models in `GAINS` that there is and each scope."""
    from pipeline.evaluation.bootstrap import gain_intervals

    return {
        f"{after} - {before}": {
            scope: gain_intervals(results[before], results[after], names=names, resamples=resamples, seed=seed)
            for scope, names in scopes.items()
        }
        for after, before in GAINS
        if {after, before} <= set(results)
    }


def write_results(run: Run, summaries: dict, scopes: list[str], gains: dict, protocol: Any) -> None:
    """All files of figures, and the table on stdout."""
    from pipeline.base.names import METRICS_FOLDER
    from pipeline.base.reports import write_json, write_text
    from pipeline.reporting.tables import comparison_table

    means = {name: {which: summary[which] for which in scopes} for name, summary in summaries.items()}
    everything = "Mean over all categories" if protocol.by_category else "Every query searches the whole gallery"
    titles = {"all": everything, "aligned": "Mean over the aligned categories"}
    text = comparison_table(means, gains, scopes=titles, metrics=protocol.shown, headline=protocol.headline)
    overall = summaries["baseline"]["all"]
    counts = {key: overall[key] for key in ("queries", "dropped", "categories", "empty_categories")}
    figures = {name: {which: _figures(mean) for which, mean in scoped.items()} for name, scoped in means.items()}
    write_json(METRICS_FOLDER / "evaluate.json", {**counts, **figures})
    write_json(METRICS_FOLDER / "gains.json", gains)
    write_json(METRICS_FOLDER / "categories.json", {name: summary["categories"] for name, summary in summaries.items()})
    write_text(METRICS_FOLDER / "evaluate.md", text)
    run.say(f"{counts['queries']} queries, {counts['dropped']} dropped\n\n{text}")


def draw_figures(folder: Path, results: dict, summaries: dict, headline: str, gallery_rows: int) -> None:
    """CMC curves and bars a category, into `folder`."""
    from pipeline.reporting.figures import category_bars, cmc_figure
    from pipeline.reporting.tables import title_of

    length = min(50, max(1, gallery_rows))
    cmc_figure({name: result.cmc_curve(length) for name, result in results.items()}, folder / "cmc.png")
    bars = {
        name: {category: figures[headline] for category, figures in summary["categories"].items()}
        for name, summary in summaries.items()
    }
    category_bars(bars, title_of(headline), folder / "categories.png")


def _figures(summary: dict) -> dict:
    return {key: value for key, value in summary.items() if isinstance(value, float) or value is None}


if __name__ == "__main__":
    main()
