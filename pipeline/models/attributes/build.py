"""Networks of attributes from their settings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from pipeline.base.errors import UserError
from pipeline.models.attributes.asen import AsenAttention
from pipeline.models.attributes.attention import RegionAttention
from pipeline.models.attributes.cut import cut_trunk
from pipeline.models.attributes.network import AttributeNetwork, Crop, MapBranch
from pipeline.models.attributes.patch import PatchBranch, prepare_vit
from pipeline.models.attributes.settings import PARAM, AttributeModelParams, LocalParams, PatchParams
from pipeline.models.attributes.vit import build_vit
from pipeline.models.inputs import with_own_input
from pipeline.params.finetune import ModelParams

MODEL = "finetune.model"
