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
        CLUSTERS_FILE,
        FEATURES_FOLDER,
        LINKS_FILE,
        MANIFEST_FILE,
        METRICS_FOLDER,
        MODEL_FOLDER,
        Part,
    )
    from pipeline.base.reports import write_json
    from pipeline.clustering.file import read_clusters
    from pipeline.features.store import NONE_TO_LEARN_FROM, open_parts
    from pipeline.params.weight import WeightParams
    from pipeline.table.manifest import read_manifest
    from pipeline.weighting.file import write_links
    from pipeline.weighting.strategy import load_strategy
    from pipeline.weighting.weight import weight

    params = run.section("weight", WeightParams)
    load_strategy(params.strategy)  # an unknown one is refused before anything is read
    table, device = read_manifest(MANIFEST_FILE), torch_device(run.runtime().device)
    source, target = open_parts(FEATURES_FOLDER, (Part.SOURCE_TRAIN, Part.TARGET_TRAIN), table, MODEL_FOLDER)
    weighting = weight(
        *(table.iloc[part.row] for part in (source, target)),
        *(torch.from_numpy(part.embedding).to(device) for part in (source, target)),
        read_clusters(CLUSTERS_FILE),
        params=params,
        say=run.say,
    )
    write_links(LINKS_FILE, weighting.links)
    write_json(METRICS_FOLDER / "weight.json", weighting.report)
    if not len(target.row):
        why = NONE_TO_LEARN_FROM if target.attributes else "the dataset has no target pictures to train on"
        run.say(f"nothing to link: {why}")
        return
    linked, items = (weighting.report["all"][name] for name in ("linked", "items"))
    run.say(f"{linked} of {len(target.row)} target pictures linked to {items} source items")
    if params.level == "L123":
        alone = weighting.report["target_only"].values()
        clustered, clusters = (sum(figures[name] for figures in alone) for name in ("clustered", "clusters"))
        run.say(f"{clustered} pictures of target-only categories in {clusters} clusters")


if __name__ == "__main__":
    main()
