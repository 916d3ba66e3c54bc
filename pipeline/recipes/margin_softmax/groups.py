"""Which weights learn at which rate: the head's, or a share of it."""

from typing import Any

from torch import nn

from pipeline.base.errors import UserError
from pipeline.models.embedder import Embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.margin_softmax.params import Params


def parameter_groups(embedder: Embedder, loss: nn.Module, common: FinetuneParams, params: Params) -> list[dict]:
    """Groups of parameters for an optimiser; those of the head are at finetune.optim.lr.

    Of the backbone's layers, as timm groups them, each learns at `layer_decay` times the rate of the one behind it
    (Clark et al., "ELECTRA", ICLR 2020); what is frozen is left out.
    """
    lr = common.optim.lr
    backbone_lr = lr * params.backbone_lr_factor
    made: list[dict[str, Any]] = [
        {"params": list(embedder.head.parameters()), "lr": lr},
        {"params": list(loss.parameters()), "lr": lr * params.centres_lr_factor},
        {"params": list(embedder.pooling.parameters()), "lr": backbone_lr},
    ]
    if params.layer_decay is None:
        made.append({"params": list(embedder.backbone.parameters()), "lr": backbone_lr})
    else:
        layers = _layers(embedder.backbone.trunk)
        for depth, layer in enumerate(reversed(layers)):
            made.append({"params": layer, "lr": backbone_lr * params.layer_decay**depth})
    for group in made:
        group["params"] = [parameter for parameter in group["params"] if parameter.requires_grad]
    return [group for group in made if group["params"]]


def check_layers(embedder: Embedder, params: Params) -> None:
    """Raise UserError where `layer_decay` is asked of a backbone whose layers are not known, or do not learn."""
    if params.layer_decay is None:
        return
    section = "recipes.margin_softmax.layer_decay"
    if embedder.frozen:
        raise UserError(f"{section}: finetune.model.frozen holds the backbone as it is; set null, or frozen to false")
    if not hasattr(embedder.backbone.trunk, "group_matcher"):
        raise UserError(f"{section}: only timm tells the layers of its backbones; set null, or choose one of timm")


def _layers(trunk: nn.Module) -> list[list[nn.Parameter]]:
    """The parameters of each layer of a trunk of timm, the first layer first."""
    from timm.models import group_parameters

    named = dict(trunk.named_parameters())
    return [[named[name] for name in names] for names in group_parameters(trunk, trunk.group_matcher()).values()]
