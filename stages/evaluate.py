"""Stage evaluate: baseline, control and adapted under one protocol."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Rank the target gallery for every target query with the baseline, control and adapted heads.

    Writes metrics/evaluate.json (means), categories.json (each category), gains.json (95 % intervals) and evaluate.md
    (the table), and pictures to metrics/plots/: CMC curves, bars a category, a sheet for each of some fixed queries.
    """
    import torch

    from pipeline.adaptation.head import load_head
    from pipeline.constants import (
        ADAPTER_FOLDER,
        CATEGORY,
        FEATURES_FOLDER,
        ITEM,
        MANIFEST_FILE,
        MAP_TRAPEZOIDAL,
        METRICS_FOLDER,
        RAW_FOLDER,
        SPLIT,
        Part,
        Split,
    )
    from pipeline.evaluation.bootstrap import gain_intervals
    from pipeline.evaluation.protocols import EmbeddedPictures, street2shop, top_k_in_category
    from pipeline.io.atomic import replacing
    from pipeline.io.features import read_features
    from pipeline.io.manifest import read_manifest
    from pipeline.io.reports import write_json, write_text
    from pipeline.params.evaluate import EvaluateParams
    from pipeline.reporting.figures import category_bars, cmc_figure
    from pipeline.reporting.sheets import SHOWN, pick_queries, write_sheets
    from pipeline.reporting.tables import comparison_table
    from pipeline.sources.alignment import read_alignment

    params, runtime = run.section("evaluate", EvaluateParams), run.runtime()
    dtype = getattr(torch, params.precision)
    aligned = [name for name, listed in read_alignment(run.params).items() if listed]
    features = read_features(FEATURES_FOLDER / f"{Part.TARGET_TEST}.h5")
    table = read_manifest(MANIFEST_FILE).iloc[features.row]
    is_query = (table[SPLIT] == Split.QUERY).to_numpy()
    embeddings = {"baseline": features.embedding}
    for name in ("control", "adapted"):
        head = load_head(ADAPTER_FOLDER / f"{name}.safetensors")
        embeddings[name] = head.embed(features.pooled, runtime.block_rows)

    items, categories = (table[column].to_numpy(dtype=str) for column in (ITEM, CATEGORY))
    results, ranked = {}, {}
    for name, rows in embeddings.items():
        queries, gallery = (
            EmbeddedPictures(torch.from_numpy(rows[side]), items[side], categories[side])
            for side in (is_query, ~is_query)
        )
        results[name] = street2shop(queries, gallery, dtype=dtype)
        ranked[name] = top_k_in_category(queries, gallery, SHOWN, dtype=dtype)
    summaries = {name: result.summary(aligned) for name, result in results.items()}
    gains = {
        f"{after} - {before}": {
            which: gain_intervals(
                results[before], results[after], names=names, resamples=params.bootstrap, seed=run.seed
            )
            for which, names in (("all", None), ("aligned", aligned))
        }
        for after, before in (("adapted", "control"), ("adapted", "baseline"), ("control", "baseline"))
    }

    with replacing(METRICS_FOLDER / "plots") as folder:
        folder.mkdir()
        length = min(50, max(1, int((~is_query).sum())))
        cmc_figure({name: result.cmc_curve(length) for name, result in results.items()}, folder / "cmc.png")
        bars = {
            name: {category: figures[MAP_TRAPEZOIDAL] for category, figures in summary["categories"].items()}
            for name, summary in summaries.items()
        }
        category_bars(bars, "mAP (trapezoidal)", folder / "categories.png")
        chosen = pick_queries(results["baseline"], params.sheets)
        shown = {name: ranked[name] for name in ("baseline", "adapted")}
        write_sheets(
            folder / "gallery",
            queries=table[is_query],
            gallery=table[~is_query],
            raw=RAW_FOLDER,
            chosen=chosen,
            ranked=shown,
            results=results,
        )
    text = comparison_table(summaries, gains)
    counts = {
        key: summaries["baseline"]["all"][key] for key in ("queries", "dropped", "categories", "empty_categories")
    }
    means = {
        name: {which: _figures(summary[which]) for which in ("all", "aligned")} for name, summary in summaries.items()
    }
    write_json(METRICS_FOLDER / "evaluate.json", {**counts, **means})
    write_json(METRICS_FOLDER / "gains.json", gains)
    write_json(METRICS_FOLDER / "categories.json", {name: summary["categories"] for name, summary in summaries.items()})
    write_text(METRICS_FOLDER / "evaluate.md", text)
    run.say(f"{counts['queries']} queries, {counts['dropped']} dropped\n\n{text}")


def _figures(summary: dict) -> dict:
    return {key: value for key, value in summary.items() if isinstance(value, float) or value is None}


if __name__ == "__main__":
    main()
