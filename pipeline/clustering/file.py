"""`data/clusters.h5`: the FINCH partitions of every group.

One HDF5 group each, named 000, 001, ...: datasets `source` (n_s,) and `target` (n_t,) int64, positions in the feature
files source_train and target_train; `labels` (n_s + n_t, P) int64, source rows first, the finest partition first.
Attributes: `name` (target category), `aligned` (bool), `partition` (index of the one in use).
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pipeline.base.errors import UserError
from pipeline.base.hdf5 import reading, set_attributes, writing
from pipeline.clustering.groups import ClusteredGroup


def write_clusters(path: Path, groups: Iterable[ClusteredGroup]) -> None:
    """Write the groups in the order given."""
    with writing(path) as file:
        for index, group in enumerate(groups):
            node = file.create_group(f"{index:03d}")
            for name in ("source", "target", "labels"):
                node[name] = getattr(group, name).astype(np.int64)
            set_attributes(node, {"name": group.name, "aligned": group.aligned, "partition": group.partition})


def read_clusters(path: Path) -> list[ClusteredGroup]:
    """The groups in their order. Raises UserError when the file is missing, truncated, foreign or inconsistent."""
    groups = []
    with reading(path, "cluster") as file:
        for node in file.values():
            arrays = {name: node[name][()] for name in ("source", "target", "labels")}
            attributes = {"name": str(node.attrs["name"]), "aligned": bool(node.attrs["aligned"])}
            groups.append(ClusteredGroup(**arrays, **attributes, partition=int(node.attrs["partition"])))
    for group in groups:
        if len(group.labels) != len(group.source) + len(group.target):
            raise UserError(f"{path}: group {group.name!r} has labels for other rows; run `dvc repro -f cluster`")
    return groups
