"""The cases of `make bench`."""

from typing import Any

from pipeline.benchmarks.adaptation import draw_case, step_case
from pipeline.benchmarks.attributes import attribute_step_case, masks_case
from pipeline.benchmarks.case import Case
from pipeline.benchmarks.evaluation import attributes_case, evaluation_case
from pipeline.benchmarks.exported import onnx_case
from pipeline.benchmarks.extraction import extraction_case
from pipeline.benchmarks.finch import finch_case
from pipeline.benchmarks.margin import classes_case, epoch_case
from pipeline.benchmarks.training import training_cases
from pipeline.benchmarks.views import index_case, views_case

GROUPS = ("finch", "adapt", "evaluate", "extract", "views", "train", "margin", "attributes", "export")


def published_sizes(workers: int, params: dict[str, Any]) -> list[Case]:
    """Sizes of the published data where they are heavy: the step, the DeepFashion test; FINCH at four sizes.

    Training steps are smaller, with the batches that `params`, the content of params.yaml, has for each recipe.
    """
    return [
        finch_case(5_000, 512),
        finch_case(10_000, 512),
        finch_case(20_000, 512, most_mb=600),
        finch_case(50_000, 512, most_mb=1000),
        step_case(12, 128, 2048),
        draw_case(12, 128, 2048),
        evaluation_case(5_000, 10_000, 512, relevant=4),
        evaluation_case(47_434, 11_312, 2048, relevant=2, most_mb=3000),
        attributes_case(20_000, 60_000, 2048, attributes=8, values=8, most_mb=3000),
        extraction_case("torchvision/resnet50", 224, 256, 32, workers),
        views_case("timm/tf_efficientnet_lite0", 160, 64),
        index_case("timm/tf_efficientnet_lite0", 160, 256, 8, workers),
        onnx_case("timm/tf_efficientnet_lite0", 160, 32),
        *training_cases(params, "torchvision/resnet18", 112),
        classes_case(10_000, 64, 128, most_ratio=15),
        classes_case(50_000, 64, 128, most_ratio=15),
        classes_case(200_000, 64, 128, most_ratio=15, most_mb=1000),
        classes_case(200_000, 64, 128, sampled=20_000, most_ratio=6, most_mb=500),
        epoch_case(100_000, 10_000, 1152, params, most_ratio=20),
        attribute_step_case(params, "torchvision/resnet18", "layer3", "timm/vit_tiny_patch16_224", 112),
        masks_case(16, 256, 224),
    ]
