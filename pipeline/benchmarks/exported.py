"""A model as ONNX in onnxruntime against the same model in torch, on the same frames."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from pipeline.benchmarks.case import Case, Trial
from pipeline.export.compose import Composed
from pipeline.export.onnx_file import FILE, check_packages, read_onnx, write_onnx
from pipeline.export.options import OPSET
from pipeline.export.program import capture
from pipeline.models.embedder import build_embedder
from pipeline.params.finetune import ModelParams


def onnx_case(backbone: str, image_size: int, batch_size: int) -> Case:
    """One batch of uint8 frames to embeddings, preprocessing included."""
    name = f"ONNX of {backbone} {image_size} px, batch {batch_size}"
    prepare = partial(_prepare, backbone=backbone, image_size=image_size, batch_size=batch_size)
    return Case("export", name, "the same model in torch", prepare, 1, cpu_only=True)


def _prepare(device: torch.device, folder: Path, *, backbone: str, image_size: int, batch_size: int) -> Trial:
    del device  # the CPU
    check_packages()
    params = {"pooling": "avg", "gem_p": 3.0, "norm_features": False, "embedding_dim": 512, "crop_from": "whole"}
    torch.manual_seed(0)
    network = build_embedder(ModelParams(backbone=backbone, image_size=image_size, **params))
    model = Composed(network.to(memory_format=torch.channels_last))  # as the stages run it
    write_onnx(folder / FILE, capture(model), model, OPSET)
    frames = np.random.default_rng(0).integers(0, 256, (batch_size, image_size, image_size, 3), dtype=np.uint8)
    inputs = model.batch(frames)
    return Trial(partial(read_onnx(folder / FILE), inputs), partial(model.run, inputs))
