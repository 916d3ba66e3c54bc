"""Stage weight: which target picture supports which source item, and how strongly."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Link target pictures to the source items that they support (weight.level, weight.strategy).

    At level L123 the clusters of target categories without alignment are written too. Writes data/links.parquet and
    metrics/weight.json, which shows links a group, their similarity, and how many of them join equal categories.
    """
    import torch

    from pipeline.base.devices import torch_device
    from pipeline.base.names import (
        CATEGORY,
        CLUSTERS_FILE,
        DOMAIN,
        FEATURES_FOLDER,
        ITEM,
        LINKS_FILE,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        Domain,
        Part,
    )
    from pipeline.base.reports import write_json
    from pipeline.clustering.file import read_clusters
    from pipeline.features.store import open_parts
    from pipeline.params.weight import WeightParams
    from pipeline.table.manifest import read_manifest
    from pipeline.table.products import build_catalogue
    from pipeline.weighting.evidence import Evidence
    from pipeline.weighting.file import links_table, write_links
    from pipeline.weighting.links import concatenate
    from pipeline.weighting.report import describe_links, describe_target_clusters
    from pipeline.weighting.strategy import choose_links, load_strategy
    from pipeline.weighting.target_clusters import find_target_clusters
    from pipeline.weighting.target_items import code_target_products

    params = run.section("weight", WeightParams)
    strategy = load_strategy(params.strategy)
    device = torch_device(run.runtime().device)
    table = read_manifest(MANIFEST_FILE)
    source, target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    rows, targets = table.iloc[source.row], table.iloc[target.row]
    catalogue = build_catalogue(*(rows[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM, DOMAIN)))
    groups = read_clusters(CLUSTERS_FILE)
    aligned = [group for group in groups if group.aligned]
    embeddings = (torch.from_numpy(part.embedding).to(device) for part in (source, target))
    evidence = Evidence(catalogue, aligned, *embeddings, say=run.say)
    links = concatenate([])
    if params.level != "L1" and groups:
        links = choose_links(
            strategy,
            evidence,
            lambda: code_target_products(targets[ITEM].to_numpy(dtype=str), target.row, aligned, params.strategy),
        )
    third_level = [group for group in groups if not group.aligned] if params.level == "L123" else []
    clusters = find_target_clusters(third_level)
    categories = targets[CATEGORY].to_numpy(dtype=str)
    named = links_table(links, clusters, catalogue, target.row, categories)
    listed = {group.name: sorted(set(rows[CATEGORY].iloc[group.source])) for group in aligned}
    report = describe_links(named[named[ITEM].notna()], targets, rows[rows[DOMAIN] == Domain.SHOP], listed)
    report["target_only"] = describe_target_clusters(clusters, categories, [group.name for group in third_level])
    write_links(LINKS_FILE, named)
    write_json(METRICS_FOLDER / "weight.json", report)
    if not len(target.row):
        run.say("nothing to link: the dataset has no target pictures to train on")
        return
    linked, items = (report["all"][name] for name in ("linked", "items"))
    run.say(f"{linked} of {len(target.row)} target pictures linked to {items} source items")
    if params.level == "L123":
        run.say(f"{len(clusters)} pictures of target-only categories in {len(clusters.code()[0])} clusters")


if __name__ == "__main__":
    main()
