"""Stage cluster: FINCH in every aligned group and every target-only group."""

from stages._cli import Run, stage


@stage
def main(run: Run) -> None:
    """Cluster the embeddings of shop pictures group by group with FINCH.

    An aligned group holds a target category and the source categories it is aligned with; a target category without
    alignment is a group of its own; without target pictures there is none. Writes data/clusters.h5 and
    metrics/cluster.json.
    """
    import torch

    from pipeline.base.devices import torch_device
    from pipeline.base.names import (
        CATEGORY,
        CLUSTERS_FILE,
        DOMAIN,
        FEATURES_FOLDER,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        Domain,
        Part,
    )
    from pipeline.base.progress import progress
    from pipeline.base.reports import write_json
    from pipeline.clustering.file import write_clusters
    from pipeline.clustering.finch import choose_partition, finch
    from pipeline.clustering.groups import ClusteredGroup, build_groups
    from pipeline.datasets._shared.alignment import read_alignment
    from pipeline.features.store import open_parts
    from pipeline.params.cluster import ClusterParams
    from pipeline.table.manifest import read_manifest

    params, runtime = run.section("cluster", ClusterParams), run.runtime()
    table = read_manifest(MANIFEST_FILE)
    source, target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    if not len(target.row):
        write_clusters(CLUSTERS_FILE, [])
        write_json(METRICS_FOLDER / "cluster.json", {"groups": {}})
        run.say("nothing to adapt to: the dataset has no target pictures to train on")
        return
    shop = (table[DOMAIN].to_numpy()[source.row] == Domain.SHOP).nonzero()[0]
    categories = table[CATEGORY].to_numpy(dtype=str)
    groups = build_groups(categories[source.row[shop]], categories[target.row], read_alignment(run.params))
    device = torch_device(runtime.device)
    embeddings = [torch.from_numpy(part.embedding).to(device) for part in (source, target)]
    clustered, report = [], {}
    for group in progress(groups, what="cluster", unit="group"):
        rows = torch.cat([embeddings[0][shop[group.source]], embeddings[1][group.target]])
        result = finch(
            rows, params.metric, prune=params.prune, exact_rows=params.exact_rows, block_rows=runtime.block_rows
        )
        _, used = choose_partition(result, params.partition)
        if used < params.partition:
            run.say(
                f"group {group.name} has {used + 1} partitions, so partition {used} stands in for {params.partition}"
            )
        if result.recall is not None:
            run.say(
                f"group {group.name}: {len(group)} pictures, so first neighbours are approximate, {result.recall:.1%} "
                "of a sample right; cluster.exact_rows sets the limit"
            )
        if group.missing:
            run.say(f"group {group.name}: no source picture of {', '.join(group.missing)}")
        made = ClusteredGroup(group.name, group.aligned, shop[group.source], group.target, result.labels, used)
        clustered.append(made)
        mixed = set(made.source_clusters.tolist()) & set(made.target_clusters.tolist())
        report[group.name] = {
            "aligned": group.aligned,
            "source": len(group.source),
            "target": len(group.target),
            "counts": list(result.counts),
            "partition": used,
            "neighbour_recall": 1.0 if result.recall is None else result.recall,
            "mixed_clusters": len(mixed),
            "target_in_mixed": sum(label in mixed for label in made.target_clusters.tolist()),
        }
    write_clusters(CLUSTERS_FILE, clustered)
    write_json(METRICS_FOLDER / "cluster.json", {"groups": report})
    n_clusters = sum(entry["counts"][entry["partition"]] for entry in report.values())
    run.say(f"{n_clusters} clusters in {len(groups)} groups, {sum(group.aligned for group in groups)} of them aligned")


if __name__ == "__main__":
    main()
