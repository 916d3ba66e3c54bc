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
        CLUSTERS_FILE,
        FEATURES_FOLDER,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        Part,
    )
    from pipeline.base.reports import write_json
    from pipeline.clustering.cluster import cluster_groups
    from pipeline.clustering.file import write_clusters
    from pipeline.features.store import NONE_TO_LEARN_FROM, open_parts
    from pipeline.params.cluster import ClusterParams
    from pipeline.params.data import DataParams
    from pipeline.table.manifest import read_manifest

    params, runtime = run.section("cluster", ClusterParams), run.runtime()
    table, device = read_manifest(MANIFEST_FILE), torch_device(runtime.device)
    alignment = run.section("data", DataParams).alignment
    source, target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    clustering = cluster_groups(
        *(table.iloc[part.row] for part in (source, target)),
        *(torch.from_numpy(part.embedding).to(device) for part in (source, target)),
        alignment=alignment,
        params=params,
        block_rows=runtime.block_rows,
        say=run.say,
    )
    write_clusters(CLUSTERS_FILE, clustering.groups)
    write_json(METRICS_FOLDER / "cluster.json", {"groups": clustering.report})
    if not len(target.row):
        why = NONE_TO_LEARN_FROM if target.attributes else "the dataset has no target pictures to train on"
        run.say(f"nothing to adapt to: {why}")
        return
    n_aligned = sum(group.aligned for group in clustering.groups)
    run.say(f"{clustering.n_clusters} clusters in {len(clustering.groups)} groups, {n_aligned} of them aligned")


if __name__ == "__main__":
    main()
