"""Losses and miners of the recipe triplet: which are refused before anything is trained."""

import pytest
import torch
import torch.nn.functional as F
from support.project import default_params

from pipeline.base.errors import UserError
from pipeline.base.params import read_section
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.triplet.recipe import Component, Params, build_component, check


def check_with(**components):
    params = default_params()
    params["recipes"]["triplet"] |= components
    check(read_section(params, "finetune", FinetuneParams), read_section(params, "recipes.triplet", Params))


# The last two hand the sizes on to the class they are derived from.
@pytest.mark.parametrize("name", ["ArcFaceLoss", "ProxyAnchorLoss", "CosFaceLoss", "SubCenterArcFaceLoss"])
def test_sizes_are_filled_in(name):
    check_with(loss={"name": name, "args": {}})


def test_a_loss_without_a_miner():
    check_with(loss={"name": "SupConLoss", "args": {"temperature": 0.1}}, miner=None)
    check_with(loss={"name": "PNPLoss", "args": {}}, miner=None)


@pytest.mark.parametrize(
    ("kind", "name", "args", "says"),
    [
        ("loss", "PNPLoss", {"variant": "X"}, ".args: PNPLoss does not take {'variant': 'X'} ("),
        ("loss", "TripletMarginLoss", {"margin": "0.3"}, ": TripletMarginLoss with {'margin': '0.3'} and miner Batch"),
        ("loss", "ArcFaceLoss", {"embedding_size": 3}, ": ArcFaceLoss with {'embedding_size': 3} and miner Batch"),
        ("loss", "PNPLoss", {}, ": PNPLoss with {} and miner BatchHardMiner fails on a batch (indices_tuple is not"),
        ("miner", "AngularMiner", {"angle": "wide"}, ".args: AngularMiner does not take {'angle': 'wide'} ("),
        ("miner", "TripletMarginMiner", {"margin": "0.2"}, ": TripletMarginMiner with {'margin': '0.2'} fails on a"),
    ],
)
def test_what_does_not_work_is_refused(kind, name, args, says):
    with pytest.raises(UserError) as caught:
        check_with(**{kind: {"name": name, "args": args}})
    assert str(caught.value).startswith(f"recipes.triplet.{kind}{says}")
    assert "\n" not in str(caught.value)


def test_what_a_loss_keeps_as_a_plain_tensor_is_saved():
    loss = build_component("losses", Component(name="DynamicSoftMarginLoss", args={}), {})
    assert not loss.state_dict()["hist_"].any()
    loss(F.normalize(torch.randn(8, 4), dim=1), torch.arange(4).repeat(2))
    assert loss.state_dict()["hist_"].any()
