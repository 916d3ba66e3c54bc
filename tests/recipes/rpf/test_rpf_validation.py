"""Mean average precision of held-out pictures over their attributes."""

import numpy as np
import pandas as pd
import pytest
import torch
from support.attribute_recipe import make_recipe, pictures
from torch import nn

from pipeline.base.names import VALIDATION_MAP
from pipeline.recipes.rpf import validation as module
from pipeline.recipes.rpf.validation import AttributeMap, Search
from pipeline.training.fabric import start_fabric


class Fixed(nn.Module):
    """Gives the rows it was made with, in order, of branches of two columns each."""

    attributes = ("colour", "sleeve")

    def __init__(self, rows, branches=("region",)):
        super().__init__()
        self.rows, self.done, self.branches = rows, 0, dict.fromkeys(branches, 2)

    def pool(self, images):
        self.done += len(images)
        return self.rows[self.done - len(images) : self.done]


class Shown(torch.utils.data.Dataset):
    """Stands for the pictures of a table."""

    def __init__(self, table, *args):
        self.table = table

    def __len__(self):
        return len(self.table)

    def __getitem__(self, place):
        return torch.zeros(1)


@pytest.fixture
def make(monkeypatch):
    monkeypatch.setattr(module, "Pictures", Shown)
    monkeypatch.setattr(module, "inference_transform", lambda wanted: None)
    Fixed.input = type("Input", (), {"decoded_side": 1})
    Fixed.conditions = lambda self, table: np.zeros(len(table), np.int64)

    def build(rows, network):
        columns = ["attribute", "value", "split"]
        entries = pd.DataFrame([row[1:] for row in rows], [row[0] for row in rows], columns=columns)
        return AttributeMap(entries, None, network, start_fabric("cpu", "32-true"), batch_size=2, workers=0)

    return build


def points(*degrees):
    angles = torch.deg2rad(torch.tensor(degrees))
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_entries_search_one_another_but_for_their_own_picture(make):
    # Picture 0 is red and blue: it is embedded once, and found by its other value too.
    rows = [(0, "colour", "red", "train"), (0, "colour", "blue", "train"), (1, "colour", "red", "train")]
    rows += [(2, "colour", "blue", "train"), (0, "pocket", "none", "train")]  # an attribute that is not told
    network = Fixed(points(0.0, 10.0, 50.0))
    made = make(rows, network)
    assert (len(made), len(made.pictures)) == (4, 3)
    # red 0: 1 first; blue 0: 2 behind 1; red 1: 0 first (of its two values the later one ties before); blue 2: 0 last.
    expected = [1, 1 / 2, 1 / 2, 1 / 2]
    assert made(network) == {VALIDATION_MAP: pytest.approx(np.mean(expected))}


def test_lists_say_who_searches_whom(make):
    rows = [(0, "sleeve", "long", "query"), (1, "sleeve", "long", "gallery"), (2, "sleeve", "short", "gallery")]
    rows += [(3, "sleeve", "short", "val"), (4, "sleeve", "none", "query"), (0, "colour", "red", "query")]
    network = Fixed(points(0.0, 20.0, 10.0, 5.0, 0.0))
    made = make(rows, network)
    # Without a relevant candidate, or any candidate at all, precision is 0; picture 3 is in no list.
    assert len(made.pictures) == 5
    assert (len(made), made(network)) == (3, {VALIDATION_MAP: pytest.approx((1 / 2 + 0 + 0) / 3)})


def test_lists_of_one_set_do_not_silence_another(make):
    rows = [(0, "sleeve", "long", "query"), (1, "sleeve", "long", "gallery"), (2, "sleeve", "short", "val")]
    rows += [(3, "colour", "red", "val"), (4, "colour", "red", "val"), (5, "colour", "blue", "val")]
    network = Fixed(points(0.0, 20.0, 0.0, 10.0, 5.0))
    made = make(rows, network)
    assert (len(made), len(made.pictures)) == (4, 5)  # picture 2 is in no list of its attribute
    # The query finds its candidate; of the colours red 3 and 4 are 10 degrees apart, blue 5 is between them.
    assert made(network) == {VALIDATION_MAP: pytest.approx((1 + 1 / 2 + 1 / 2 + 0) / 4)}


def test_branches_are_told_apart(make):
    rows = [(k, "colour", value, "train") for k, value in enumerate(["red", "red", "blue", "blue"])]
    good, bad = points(0.0, 1.0, 90.0, 91.0), points(0.0, 90.0, 1.0, 91.0)
    network = Fixed(torch.cat([0.9 * good, 0.1 * bad], dim=1), ["region", "patch"])
    figures = make(rows, network)(network)
    assert figures[VALIDATION_MAP] == figures[f"{VALIDATION_MAP}_region"] == 1
    assert figures[f"{VALIDATION_MAP}_patch"] < 0.6


def test_nothing_to_find(make):
    network = Fixed(points(0.0, 1.0))
    assert len(made := make([(0, "colour", "red", "train"), (1, "colour", "blue", "train")], network)) == 0
    assert made(network) == {VALIDATION_MAP: 0}
    assert len(made := make([(0, "pocket", "none", "train")], network)) == 0
    assert np.isnan(made(network)[VALIDATION_MAP])


def test_blocks_do_not_change_it(monkeypatch):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, 20)
    search = Search(np.arange(20), np.arange(20), values, values, itself=True)
    embeddings = torch.nn.functional.normalize(torch.randn(20, 4, generator=torch.Generator().manual_seed(0)))
    whole = search.precisions(embeddings)
    monkeypatch.setattr(module, "rows_per_block", lambda columns: 7)
    assert torch.equal(search.precisions(embeddings), whole)


def test_pictures_of_a_run_are_shown_without_random_changes(tmp_path):
    table, attributes = pictures(tmp_path, each=2)
    recipe = make_recipe(table, attributes, tmp_path, augment={"flip": 1.0})
    entries = recipe.context.table.assign(split="train")
    sizes = {"batch_size": 3, "workers": 0, "first": 2}
    made = AttributeMap(entries, tmp_path, recipe.embedder, recipe.context.fabric, **sizes)
    assert (len(made), len(made.pictures), made.first) == (16, 16, 2)
    first = made(recipe.embedder)
    assert first == made(recipe.embedder)
    assert set(first) == {VALIDATION_MAP, f"{VALIDATION_MAP}_region", f"{VALIDATION_MAP}_patch"}
