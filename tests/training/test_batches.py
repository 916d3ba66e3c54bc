"""Batches of stored features and of pictures by one sampler, and whose seeds decide the random changes."""

import numpy as np
import torch

from pipeline.training.batches import FeatureRows, PictureRows, Sampler, load_epoch


class Pairs(Sampler):
    """Rows (0, 1), (2, 3), ... of three batches; the labels are those of the first row."""

    seed, names, n_batches = 7, ["a", "b", "c"], 3

    def draw(self, epoch, index):
        return np.array([2 * index, 2 * index + 1]), np.array([index])


class Noise:
    """A picture that shows what is drawn."""

    def __getitem__(self, row):
        return torch.cat([torch.tensor([float(row)]), torch.rand(3)])


def load(rows, first=0, epoch=2, sampler=None):
    return list(load_epoch(rows, sampler or Pairs(), epoch=epoch, first=first, workers=0))


def test_features_of_the_drawn_rows():
    pooled = torch.rand(6, 4)
    batches = load(FeatureRows(pooled), first=1)
    assert [labels.tolist() for _, labels in batches] == [[1], [2]]
    assert torch.equal(torch.cat([inputs for inputs, _ in batches]), pooled[2:])


def test_changes_follow_from_epoch_batch_and_place():
    rows = PictureRows(Noise())
    batches = [inputs for inputs, _ in load(rows)]
    torch.rand(3)
    assert all(map(torch.equal, batches[2:], [inputs for inputs, _ in load(rows, first=2)]))
    assert batches[0][:, 0].tolist() == [0, 1]
    others = [*batches[0][:, 1:], *batches[1][:, 1:], load(rows, epoch=3)[0][0][0, 1:]]
    assert len({tuple(drawn.tolist()) for drawn in others}) == 5


def test_a_sampler_may_have_seeds_of_its_own():
    class Same(Pairs):
        def seeds(self, epoch, index, rows, labels):
            return [5] * len(rows)

    batches = load(PictureRows(Noise()), sampler=Same())
    assert len({tuple(row[1:].tolist()) for inputs, _ in batches for row in inputs}) == 1
