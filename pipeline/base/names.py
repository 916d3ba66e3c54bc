"""Names that several modules must agree on: columns, domains, splits, paths, HDF5 datasets, metric keys."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

# Where the stages keep what they make.
CHECKED_FILE = Path("data/checked")
RAW_FOLDER = Path("data/raw")
MANIFEST_FILE = Path("data/manifest.parquet")
ATTRIBUTES_FILE = Path("data/attributes.parquet")
MODEL_FOLDER = Path("data/models/backbone")
FEATURES_FOLDER = Path("data/features")
VIEWS_FOLDER = Path("data/views")
CLUSTERS_FILE = Path("data/clusters.h5")
LINKS_FILE = Path("data/links.parquet")
ADAPTER_FOLDER = Path("data/models/adapter")
QUERIES_FILE = Path("data/queries.parquet")
INDEX_FOLDER = Path("data/index")
METRICS_FOLDER = Path("metrics")


class Domain(StrEnum):
    CONSUMER = "consumer"
    SHOP = "shop"


class MetaDomain(StrEnum):
    SOURCE = "source"
    TARGET = "target"


class Split(StrEnum):
    TRAIN = "train"
    VAL = "val"
    QUERY = "query"
    GALLERY = "gallery"
    TEST = "test"  # searched by itself: every picture is a query, and gallery of every other one


class Part(StrEnum):
    """The parts of the manifest whose features are extracted, one HDF5 file each."""

    SOURCE_TRAIN = "source_train"
    SOURCE_TEST = "source_test"
    TARGET_TRAIN = "target_train"
    TARGET_TEST = "target_test"


class ModelName(StrEnum):
    """The models that a run compares, as they develop."""

    BASELINE = "baseline"  # as fine-tuned, or as the trunk was pretrained
    UDMA_CONTROL = "udma_control"  # its head retrained on the source alone, as UDMA does it
    UDMA = "udma"  # the same with linked target pictures, as published
    CONTROL = "control"  # the best use of the source alone: whitened, where that helps
    LINKED = "linked"  # the control retrained with linked target pictures
    VIEWED = "viewed"  # the control, and the catalogue indexed by views of its pictures


class Branch(StrEnum):
    """The parts of the baseline's embedding that are compared too, where a network has several."""

    REGION = "region"
    PATCH = "patch"
    GLOBAL = "global"
    LOCAL = "local"


COMPARED = (*Branch, *ModelName)  # in the order of reports
# Whose gain over whom is told.
GAINS = (
    (ModelName.VIEWED, ModelName.CONTROL),
    (ModelName.LINKED, ModelName.CONTROL),
    (ModelName.CONTROL, ModelName.BASELINE),
    (ModelName.VIEWED, ModelName.BASELINE),
    (ModelName.UDMA, ModelName.UDMA_CONTROL),
    (ModelName.UDMA, ModelName.BASELINE),
    *((ModelName.BASELINE, branch) for branch in Branch),
)
AdaptedName = Literal["udma_control", "udma", "control", "linked", "viewed"]  # as params.yaml has them
PartName = Literal["source_train", "source_test", "target_train", "target_test"]  # as params.yaml has them


# Columns of the manifest, one row an image (or a box of an image).
IMAGE = "image"
ITEM = "item"
CATEGORY = "category"
DOMAIN = "domain"
META_DOMAIN = "meta_domain"
DATASET = "dataset"
SPLIT = "split"
BOX = ("x", "y", "w", "h")
DIGEST = "digest"
SUBCATEGORY = "subcategory"
LINK = "link"  # address of the product in its shop

# Columns of the table of attributes, beside ROW and SPLIT.
ATTRIBUTE = "attribute"
VALUE = "value"

# HDF5 datasets and attributes of a feature file.
POOLED = "pooled"
EMBEDDING = "embedding"
ROW = "row"
LENGTH = "length"
NORMALIZED_POOLED = "normalized_pooled"
MODEL = "model"
SHOWN = "shown"
CONDITION = "condition"
ATTRIBUTES = "attributes"
BRANCHES = "branches"
COLOUR = "colour"
COLOUR_VARIANT = "colour_variant"
COLOUR_CELLS = "colour_cells"

# Distances by their names in scipy, those that need nothing but two vectors: others estimate a scale from all rows that
# happen to be searched.
Distance = Literal[
    "cosine", "euclidean", "sqeuclidean", "cityblock", "chebyshev", "correlation", "canberra", "braycurtis"
]

# Metric keys. recall@k is "any hit in the first k" averaged over queries, which equals CMC at k.
VALIDATION = "val_recall@1"  # what fine-tuning is watched by
VALIDATION_MAP = "val_map"  # the same, of networks that are told an attribute
MAP = "map"
MAP_TRAPEZOIDAL = "map_trapezoidal"
MAP_AT_R = "map@r"
R_PRECISION = "r_precision"
CMC_RANKS = (1, 5, 10, 20, 50)


def cmc_key(k: int) -> str:
    """`cmc@k`: share of queries whose first relevant picture ranks k-th or better."""
    return f"cmc@{k}"


def recall_key(k: int) -> str:
    """`recall@k`: the same, under the name that protocols of metric learning and In-shop use."""
    return f"recall@{k}"
