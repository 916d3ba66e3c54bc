"""Stage evaluate: baseline, control and adapted under one protocol."""

from pathlib import Path

from stages._cli import Run, stage

SHEETS = ("baseline", "adapted")  # whose results are drawn, one row each


@stage
def main(run: Run) -> None:
    """Rank the gallery for every query with the baseline, control and adapted heads.

    evaluate.meta_domain says whose test part it is, evaluate.protocol which gallery a query searches.
    Writes metrics/evaluate.json (means), categories.json (each category), gains.json (95 % intervals) and evaluate.md
    (the table), and pictures to metrics/plots/: CMC curves, bars a category, a sheet for each of some fixed queries.
    """
    import torch

    from pipeline.adaptation.head import check_width, load_head
    from pipeline.constants import (
        ADAPTER_FOLDER,
        CATEGORY,
        FEATURES_FOLDER,
        ITEM,
        MANIFEST_FILE,
        METRICS_FOLDER,
        RAW_FOLDER,
        SPLIT,
        MetaDomain,
    )
    from pipeline.devices import torch_device
    from pipeline.evaluation.bootstrap import gain_intervals
    from pipeline.evaluation.protocols import EmbeddedPictures, find_protocol, query_rows
    from pipeline.io.atomic import replacing
    from pipeline.io.brought import brought_folder
    from pipeline.io.features import read_features
    from pipeline.io.manifest import check_part, read_manifest
    from pipeline.params.evaluate import EvaluateParams
    from pipeline.reporting.sheets import SHOWN, pick_queries, write_sheets
    from pipeline.sources.alignment import read_alignment

    params, runtime = run.section("evaluate", EvaluateParams), run.runtime()
    protocol, dtype = find_protocol(params.protocol), getattr(torch, params.precision)
    part = f"{params.meta_domain}_test"
    features = read_features(FEATURES_FOLDER / f"{part}.h5")
    check_part(MANIFEST_FILE, part, features.row)
    manifest = read_manifest(MANIFEST_FILE)
    table, brought = manifest.iloc[features.row], brought_folder(RAW_FOLDER, manifest)
    is_query = query_rows(params.protocol, table[SPLIT].to_numpy(dtype=str))
    device = torch_device(runtime.device)
    embeddings = {"baseline": features.embedding}
    for name in ("control", "adapted"):
        path = ADAPTER_FOLDER / f"{name}.safetensors"
        head = load_head(path).to(device)
        check_width(head.weight, features.pooled, path)
        embeddings[name] = head.embed(features.pooled, runtime.block_rows)

    items, categories = (table[column].to_numpy(dtype=str) for column in (ITEM, CATEGORY))
    results, ranked, chosen = {}, {}, None
    for name, rows in embeddings.items():
        queries, gallery = (
            EmbeddedPictures(torch.from_numpy(rows[side]).to(device), items[side], categories[side])
            for side in (is_query, ~is_query)
        )
        results[name] = protocol.score(queries, gallery, dtype=dtype)
        if chosen is None:
            chosen = pick_queries(results[name], params.sheets if brought is None else 0)
        if name in SHEETS:
            ranked[name] = protocol.top_k(queries.take(chosen), gallery, SHOWN, dtype=dtype)
    scopes = {"all": None}
    if params.meta_domain == MetaDomain.TARGET:  # only target categories are aligned
        aligned = {name for name, listed in read_alignment(run.params).items() if listed}
        if aligned & set(results["baseline"].categories):
            scopes["aligned"] = aligned
    summaries = {name: result.summary(scopes.get("aligned", ())) for name, result in results.items()}
    gains = {
        f"{after} - {before}": {
            which: gain_intervals(
                results[before], results[after], names=names, resamples=params.bootstrap, seed=run.seed
            )
            for which, names in scopes.items()
        }
        for after, before in (("adapted", "control"), ("adapted", "baseline"), ("control", "baseline"))
    }

    with replacing(METRICS_FOLDER / "plots") as folder:
        folder.mkdir()
        draw_figures(folder, results, summaries, gallery_rows=int((~is_query).sum()))
        write_sheets(
            folder / "gallery",
            queries=table[is_query],
            gallery=table[~is_query],
            raw=RAW_FOLDER,
            chosen=chosen,
            ranked=ranked,
            results=results,
        )
    if brought is not None and params.sheets:
        run.say(f"no sheets of results: {brought.name} has no pictures")
    write_results(run, summaries, list(scopes), gains)


def write_results(run: Run, summaries: dict, scopes: list[str], gains: dict) -> None:
    """All files of figures, and the table on stdout."""
    from pipeline.constants import METRICS_FOLDER
    from pipeline.io.reports import write_json, write_text
    from pipeline.reporting.tables import comparison_table

    means = {name: {which: summary[which] for which in scopes} for name, summary in summaries.items()}
    text = comparison_table(means, gains)
    overall = summaries["baseline"]["all"]
    counts = {key: overall[key] for key in ("queries", "dropped", "categories", "empty_categories")}
    figures = {name: {which: _figures(mean) for which, mean in scoped.items()} for name, scoped in means.items()}
    write_json(METRICS_FOLDER / "evaluate.json", {**counts, **figures})
    write_json(METRICS_FOLDER / "gains.json", gains)
    write_json(METRICS_FOLDER / "categories.json", {name: summary["categories"] for name, summary in summaries.items()})
    write_text(METRICS_FOLDER / "evaluate.md", text)
    run.say(f"{counts['queries']} queries, {counts['dropped']} dropped\n\n{text}")


def draw_figures(folder: Path, results: dict, summaries: dict, gallery_rows: int) -> None:
    """CMC curves and bars a category, into `folder`."""
    from pipeline.constants import MAP_TRAPEZOIDAL
    from pipeline.reporting.figures import category_bars, cmc_figure

    length = min(50, max(1, gallery_rows))
    cmc_figure({name: result.cmc_curve(length) for name, result in results.items()}, folder / "cmc.png")
    bars = {
        name: {category: figures[MAP_TRAPEZOIDAL] for category, figures in summary["categories"].items()}
        for name, summary in summaries.items()
    }
    category_bars(bars, "mAP (trapezoidal)", folder / "categories.png")


def _figures(summary: dict) -> dict:
    return {key: value for key, value in summary.items() if isinstance(value, float) or value is None}


if __name__ == "__main__":
    main()
