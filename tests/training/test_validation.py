"""Held-out source items, and recall@1 among them."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from pipeline.base.errors import UserError
from pipeline.training import validation
from pipeline.training.split import split_source
from pipeline.training.validation import RecallAt1


def table(n=20, meta="source", split="train"):
    rows = [(f"i{k}", "dress", domain, meta, split) for k in range(n) for domain in ("consumer", "shop")]
    return pd.DataFrame(rows, columns=["item", "category", "domain", "meta_domain", "split"])


def test_items_are_held_out_whole_and_target_rows_never_seen():
    everything = pd.concat([table(), table(5, "target", "gallery"), table(5, "target", "train")], ignore_index=True)
    train, val = split_source(everything, 0.2, seed=1)
    assert set(train["meta_domain"]) | set(val["meta_domain"]) == {"source"}
    assert val["item"].nunique() == 4
    assert not set(train["item"]) & set(val["item"])
    assert len(train) + len(val) == 40
    again, _ = split_source(everything, 0.2, seed=1)
    assert again.index.equals(train.index)
    other, _ = split_source(everything, 0.2, seed=2)
    assert not other.index.equals(train.index)


def test_the_datasets_own_val_split_is_used():
    everything = pd.concat([table(6), table(3, split="val")], ignore_index=True)
    train, val = split_source(everything, 0.5, seed=1)
    assert (len(train), len(val)) == (12, 6)


def test_nothing_to_train_on_is_said():
    with pytest.raises(UserError, match="no source/train pictures"):
        split_source(table(meta="target"), 0.1, seed=1)
    with pytest.raises(UserError, match="val_share: 0.1 holds out all 1 source items"):
        split_source(table(1), 0.1, seed=1)


class Fixed(nn.Module):
    """Gives the embeddings it was made with, in order."""

    def __init__(self, embeddings):
        super().__init__()
        self.embeddings, self.done = embeddings, 0

    def forward(self, images):
        self.done += len(images)
        return self.embeddings[self.done - len(images) : self.done]


class Images(torch.utils.data.Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return torch.zeros(3, 2, 2)


def recall(rows, embeddings):
    from lightning_fabric import Fabric

    columns = ["item", "category", "domain", "dataset"]
    frame = pd.DataFrame([row if len(row) == 4 else (*row, "one") for row in rows], columns=columns)
    validate = RecallAt1(Images(len(rows)), frame, Fabric(accelerator="cpu"), batch_size=2, workers=0)
    return len(validate), validate(Fixed(torch.tensor(embeddings)))["val_recall@1"]


def test_recall_by_hand():
    rows = [
        ("a", "dress", "consumer"),
        ("a", "dress", "shop"),
        ("b", "dress", "consumer"),
        ("b", "dress", "shop"),
        ("a", "coat", "consumer"),  # no shop picture of this item in this category: not a query
    ]
    embeddings = [[1.0, 0.0], [0.8, 0.6], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    assert recall(rows, embeddings) == (2, 0.5)


def test_pictures_of_one_domain_search_one_another():
    rows = [(item, "bird", "shop") for item in ("a", "a", "b", "b", "c")]  # c has no other picture: not a query
    embeddings = [[1.0, 0.0], [0.8, 0.6], [1.0, 0.0], [0.96, 0.28], [0.0, 1.0]]
    # nearest other pictures: of the first a the first b, of the second a the second b, of either b the other
    assert recall([*rows[:2], rows[4]], [*embeddings[:2], embeddings[4]]) == (2, 1.0)
    embeddings[2] = [0.98, 0.199]
    n, value = recall(rows, embeddings)
    assert (n, value) == (4, 0.5)


def test_a_set_of_one_domain_is_searched_by_itself_beside_one_of_two():
    rows = [("a", "dress", "consumer", "one"), ("a", "dress", "shop", "one"), ("a", "dress", "consumer", "one")]
    rows += [(item, "car", "shop", "other") for item in ("x", "x", "y")]  # y is alone: not a query
    embeddings = [[1.0, 0.0], [0.6, 0.8], [1.0, 0.0], [0.9, 0.436], [0.8, 0.6], [0.0, 1.0]]
    # both dresses' photos find the first car (they do not find one another), the cars one another
    assert recall(rows, embeddings) == (4, 0.5)
    embeddings[1] = [0.99, 0.141]
    assert recall(rows, embeddings) == (4, 1.0), "now the dress"


def test_the_blocks_of_queries_do_not_matter(monkeypatch):
    rows = [(item, "bird", "shop") for item in "abcde" for _ in range(12)]
    embeddings = torch.nn.functional.normalize(torch.randn(60, 4, generator=torch.Generator().manual_seed(1))).tolist()
    whole = recall(rows, embeddings)
    assert 0 < whole[1] < 1
    monkeypatch.setattr(validation, "rows_per_block", lambda columns: 420 // columns)
    assert recall(rows, embeddings) == whole


@pytest.mark.parametrize("rows", [[], [("a", "dress", "shop")], [("a", "dress", "shop"), ("b", "dress", "consumer")]])
def test_without_queries_it_is_undefined(rows):
    n, value = recall(rows, [[1.0, 0.0]] * len(rows))
    assert n == 0
    assert np.isnan(value)
