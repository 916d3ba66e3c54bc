"""Losses by name."""

import numpy as np

from pipeline.base.errors import UserError
from pipeline.recipes.margin_softmax.adaptive import AdaCos, AdaFace, CurricularFace
from pipeline.recipes.margin_softmax.centres import MarginSoftmax
from pipeline.recipes.margin_softmax.margins import ArcFace, Clam, CosFace, LiArcFace, SphereFace
from pipeline.recipes.margin_softmax.params import Params

SECTION = "recipes.margin_softmax"
ANGULAR = {
    "arcface": ArcFace,
    "cosface": CosFace,
    "curricularface": CurricularFace,
    "liarcface": LiArcFace,
    "sphereface": SphereFace,
}


def build_loss(params: Params, counts: np.ndarray, width: int) -> MarginSoftmax:
    """The loss `params.loss` of embeddings of `width` values; counts (C,) int64: pictures of each class by label.

    Raises UserError for adacos with too few classes.
    """
    common = {"centres": params.centres, "scale": params.scale}
    match params.loss:
        case "normalized_softmax":
            return MarginSoftmax(len(counts), width, **common)
        case "clam":
            return Clam(len(counts), width, counts=counts, **params.clam.model_dump(), **common)
        case "adaface":
            return AdaFace(len(counts), width, margin=params.margin, **params.adaface.model_dump(), **common)
        case "adacos":
            compared = min(len(counts), params.sampled or len(counts))
            if compared < 3:
                raise UserError(
                    f"{SECTION}.loss: adacos needs three classes, with {compared} its scale is 0; set arcface"
                )
            dynamic = params.adacos.dynamic
            return AdaCos(len(counts), width, dynamic=dynamic, compared=compared, centres=params.centres)
    return ANGULAR[params.loss](len(counts), width, margin=params.margin, **common)
