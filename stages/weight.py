"""Stage weight: which target picture supports which source item, and how strongly."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Link target pictures to source items that share a cluster with them (weight.level, weight.strategy).

    Writes data/links.parquet and metrics/weight.json, which shows links a group, their similarity, and how many of
    them join equal categories.
    """
    import torch

    from pipeline.constants import (
        CATEGORY,
        CLUSTERS_FILE,
        DOMAIN,
        EMBEDDING,
        FEATURES_FOLDER,
        ITEM,
        LINKS_FILE,
        MANIFEST_FILE,
        METRICS_FOLDER,
        Domain,
        Part,
    )
    from pipeline.devices import torch_device
    from pipeline.io.clusters import read_clusters
    from pipeline.io.features import read_features
    from pipeline.io.links import links_table, write_links
    from pipeline.io.manifest import read_manifest
    from pipeline.io.reports import write_json
    from pipeline.params.weight import WeightParams
    from pipeline.weighting.catalogue import build_catalogue
    from pipeline.weighting.links import concatenate
    from pipeline.weighting.report import describe_links
    from pipeline.weighting.similarity import ClusteredRows, similarity_list
    from pipeline.weighting.strategy import choose_links

    params = run.section("weight", WeightParams)
    device = torch_device(run.runtime().device)
    table = read_manifest(MANIFEST_FILE)
    source, target = (
        read_features(FEATURES_FOLDER / f"{part}.h5", EMBEDDING) for part in (Part.SOURCE_TRAIN, Part.TARGET_TRAIN)
    )
    rows = table.iloc[source.row]
    catalogue = build_catalogue(*(rows[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM, DOMAIN)))
    groups = [group for group in read_clusters(CLUSTERS_FILE) if group.aligned]
    embeddings = [torch.from_numpy(part.embedding).to(device) for part in (source, target)]
    parts = [
        similarity_list(
            ClusteredRows(embeddings[0][group.source], group.source_clusters),
            catalogue.codes[group.source],
            ClusteredRows(embeddings[1][group.target], group.target_clusters),
            group.target,
            n_shop=catalogue.n_shop,
            has_consumer=catalogue.n_consumer > 0,
        )
        for group in groups
        if params.level != "L1"
    ]
    links = choose_links(params.strategy, concatenate(parts), lambda: table[ITEM].to_numpy(dtype=str)[target.row])
    targets = table.iloc[target.row]
    named = links_table(links, catalogue, target.row, targets[CATEGORY].to_numpy(dtype=str))
    categories = {group.name: sorted(set(rows[CATEGORY].iloc[group.source])) for group in groups}
    report = describe_links(named, targets, rows[rows[DOMAIN] == Domain.SHOP], categories)
    write_links(LINKS_FILE, named)
    write_json(METRICS_FOLDER / "weight.json", report)
    run.say(f"{len(links)} of {len(target.row)} target pictures linked to {report['all']['items']} source items")


if __name__ == "__main__":
    main()
