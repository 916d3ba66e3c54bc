"""Extraction chunk by chunk: right rows, and only the missing chunks are computed after an interruption."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from pipeline.features.cache import PooledCache
from pipeline.features.extract import extract_chunks
from pipeline.models.backbones import Backbone
from pipeline.models.embedder import Embedder
from pipeline.models.head import Head
from pipeline.models.pooling import GlobalAverage


class Numbered(torch.utils.data.Dataset):
    """Picture i is filled with i; notes which were asked for."""

    def __init__(self, n, broken=None):
        self.n, self.broken, self.asked = n, broken, []

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if index == self.broken:
            raise RuntimeError
        self.asked.append(index)
        return torch.full((3, 4, 4), float(index))


@pytest.fixture
def embedder():
    torch.manual_seed(0)
    backbone = Backbone(nn.Identity(), 3)
    return Embedder(backbone, GlobalAverage(), Head(3, 5, norm_features=False)).eval()


def table_of(n):
    return pd.DataFrame({"digest": [f"{number:032x}" for number in range(n)]}).assign(
        **dict.fromkeys(("x", "y", "w", "h"), np.nan)
    )


def extract(embedder, pictures, folder, maker="maker"):
    chunks = extract_chunks(
        embedder,
        pictures,
        PooledCache(folder, maker, table_of(len(pictures))),
        device=torch.device("cpu"),
        chunk_rows=4,
        batch_size=3,
        workers=0,
    )
    return [np.concatenate(arrays) for arrays in zip(*chunks, strict=True)]


def test_rows_come_in_order_with_both_features(embedder, tmp_path):
    pooled, embedding = extract(embedder, Numbered(10), tmp_path)
    assert pooled.dtype == embedding.dtype == np.float32
    np.testing.assert_array_equal(pooled, np.repeat(np.arange(10.0), 3).reshape(10, 3))
    with torch.no_grad():
        expected = embedder.embed(torch.from_numpy(pooled)).numpy()
    np.testing.assert_allclose(embedding, expected, atol=1e-6)


@pytest.mark.parametrize("broken", [0, 3, 4, 9])
def test_an_interrupted_run_goes_on_from_the_last_whole_chunk(embedder, tmp_path, broken):
    for name in ("undisturbed", "killed"):
        (tmp_path / name).mkdir()
    expected = extract(embedder, Numbered(10), tmp_path / "undisturbed")
    with pytest.raises(RuntimeError):
        extract(embedder, Numbered(10, broken), tmp_path / "killed")
    pictures = Numbered(10)
    resumed = extract(embedder, pictures, tmp_path / "killed")
    assert pictures.asked == list(range(broken // 4 * 4, 10))
    for one, other in zip(resumed, expected, strict=True):
        assert one.tobytes() == other.tobytes()
