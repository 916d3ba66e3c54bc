"""Street views of catalogue pictures, drawn by workers and pooled by a network."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.data import Dataset

from pipeline.base.atomic import publish
from pipeline.base.code import code_digest
from pipeline.base.names import DIGEST, DOMAIN, META_DOMAIN, Domain, MetaDomain, Part
from pipeline.base.progress import progress
from pipeline.base.runtime import RuntimeParams
from pipeline.features.cache import PooledCache, maker_key, prune
from pipeline.features.extract import pool_chunks
from pipeline.features.store import digest_rows, model_mark
from pipeline.features.views import in_catalogue, write_views
from pipeline.images.loading import Conditioned, Inputs, Pictures
from pipeline.images.transforms import PictureInput, framed, normalize
from pipeline.models.network import Network
from pipeline.params.views import ViewsParams
from pipeline.table.manifest import evaluated_part, part_rows
from pipeline.table.products import product_codes
from pipeline.views.view import STREET, Studio


@dataclass(frozen=True)
class ViewedPictures(Dataset):
    """`count` views (K, S, S, 3) uint8 of a kind of each of `pictures`, which are arrays (S, S, 3) uint8.

    digests: what tells each picture; own: places of the studio's photos that show the same item, as `own_photos` has
    them. Conditions, where there are any, are of the picture, and of all its views.
    """

    pictures: Pictures
    digests: Sequence[str]
    own: Sequence[np.ndarray]
    studio: Studio
    kind: str
    count: int
    seed: int

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Inputs:
        picture, told = self.pictures[index], None
        if isinstance(picture, Conditioned):
            picture, told = picture
        known = {"known": self.digests[index], "own": self.own[index]}
        views = self.studio.views(picture, {self.kind: self.count}, seed=self.seed, **known)
        made = torch.from_numpy(np.stack(list(views)))
        return made if told is None else Conditioned(made, told.expand(self.count))


@torch.inference_mode()
def pool_views(network: Network, inputs: Inputs, wanted: PictureInput) -> torch.Tensor:
    """Views (B, K, S, S, 3) uint8, with conditions (B, K) where there are any -> pooled features (B, K P) float32."""
    views, told = inputs if isinstance(inputs, Conditioned) else (inputs, None)
    pixels = normalize(views.flatten(0, 1), wanted).contiguous(memory_format=torch.channels_last)
    pooled = network.pool(pixels if told is None else Conditioned(pixels, told.flatten()))
    return pooled.reshape(len(views), -1)


def view_chunks(
    network: Network,
    pictures: ViewedPictures,
    kept: Path,
    table: pd.DataFrame,
    *,
    device: torch.device,
    chunk_rows: int,
    batch_size: int,
    workers: int,
) -> Iterator[np.ndarray]:
    """Pooled features of the views of the pictures of `table`, in order, in chunks (C, K P), by way of the cache."""
    network = network.to(device, memory_format=torch.channels_last).eval()
    per_batch = max(1, batch_size // pictures.count)
    drawn = {
        "kind": pictures.kind,
        "count": pictures.count,
        "seed": pictures.seed,
        "photos": hashlib.sha256(np.ascontiguousarray(pictures.studio.photos)).hexdigest(),
        "own": [
            (digest, [*map(int, own)]) for digest, own in zip(pictures.digests, pictures.own, strict=True) if len(own)
        ],
        "libraries": {name: version(name) for name in ("numpy", "scipy")},  # which draw them
        "code": code_digest(["pipeline.features.viewing"]),
    }
    side = pictures.pictures.side
    maker = maker_key(network, pictures.pictures.transform, side, device=device, batch_size=per_batch, further=drawn)
    told = pictures.pictures.conditions
    cache = PooledCache(kept, maker, table, None if told is None else told.numpy())
    yield from pool_chunks(
        lambda inputs: pool_views(network, inputs, network.input),
        pictures,
        cache,
        device=device,
        chunk_rows=chunk_rows,
        batch_size=per_batch,
        workers=workers,
        what=f"draw {pictures.kind}",
    )


def draw_views(
    network: Network | None,
    table: pd.DataFrame,
    part: Part,
    out: Path,
    *,
    model: Path,
    raw: Path,
    params: ViewsParams,
    runtime: RuntimeParams,
    seed: int,
    device: torch.device,
    work: Path,
) -> str:
    """Write the file of views of `part` to `out`, empty without a `network`; returns in words what is in it.

    `model`: the folder that the network is from; `work`: one for what is in the making.
    """
    rows, kinds, photos = np.zeros(0, np.int64), (), np.zeros((0, 0, 0, 3), np.uint8)
    streets = street_rows(table, params.photos, seed)
    if network is not None:
        photos = street_photos(network.input, table, raw, streets)
        kinds = tuple(kind for kind in params.kinds if kind != STREET or len(photos))
        rows = rows_to_view(table, part, params, seed) if kinds else rows
    facts = {"model": model_mark(model), "shown": digest_rows(table, rows), "seed": seed}
    if network is None or not len(rows):
        write_views(out, rows, {}, photos, shape=(0, 0), **facts)
        return "no views"
    shown, wanted = table.iloc[rows], network.input
    pictures = Pictures(shown, raw, framed(wanted), wanted.decoded_side, network.conditions(shown))
    kept = work / "pooled" if runtime.cache is None else Path(runtime.cache)
    sizes = {"chunk_rows": runtime.chunk_rows, "batch_size": runtime.batch_size, "workers": runtime.workers}
    told = (shown[DIGEST].tolist(), own_photos(table, rows, streets), Studio(photos))

    def chunks(kind: str) -> Iterator[np.ndarray]:
        viewed = ViewedPictures(pictures, *told, kind, params.number, seed)
        return view_chunks(network, viewed, kept, shown, device=device, **sizes)

    made = work / out.name
    shape = (params.number, network.head.shape[1])
    write_views(made, rows, {kind: chunks(kind) for kind in kinds}, photos, shape=shape, **facts)
    publish(made, out)
    if runtime.cache is not None:
        prune(kept, runtime.cache_gb * 1e9)
    return f"{len(rows)} pictures with {params.number} views each of {', '.join(kinds)}"


def viewed_parts(table: pd.DataFrame, params: ViewsParams) -> tuple[str, ...]:
    """The parts whose views are drawn; auto: source_train, on which their use is chosen, and the part evaluated.

    None, where no item of the source can be searched by a photo to choose by.
    """
    if params.parts != "auto":
        return params.parts
    if not len(_items_to_choose_by(table.iloc[part_rows(table, Part.SOURCE_TRAIN)])):
        return ()
    return (str(Part.SOURCE_TRAIN), str(evaluated_part(table, "auto")))


def rows_to_view(table: pd.DataFrame, part: Part, params: ViewsParams, seed: int) -> np.ndarray:
    """Rows (N,) of the manifest that are viewed: those of `part` that are `in_catalogue`.

    Of source_train those of up to `params.items` items, which are drawn among those that have consumer pictures too.
    """
    rows = part_rows(table, part)
    shown = table.iloc[rows]
    if part != Part.SOURCE_TRAIN:
        return rows[in_catalogue(shown)]
    drawn = np.random.default_rng(seed).permutation(_items_to_choose_by(shown))[: params.items]
    return rows[in_catalogue(shown) & np.isin(product_codes(shown), drawn)]


def _items_to_choose_by(source: pd.DataFrame) -> np.ndarray:
    """Codes of the items of these rows that have pictures of both domains."""
    codes, shop = product_codes(source), (source[DOMAIN] == Domain.SHOP).to_numpy()
    return np.intersect1d(codes[shop], codes[~shop])


def street_rows(table: pd.DataFrame, count: int, seed: int) -> np.ndarray:
    """Rows (n,) of the manifest, up to `count` consumer pictures of the source, drawn."""
    rows = part_rows(table, Part.SOURCE_TRAIN)
    rows = rows[(table[DOMAIN].iloc[rows] == Domain.CONSUMER).to_numpy()]
    return np.sort(np.random.default_rng(seed).permutation(rows)[:count])


def street_photos(wanted: PictureInput, table: pd.DataFrame, raw: Path, streets: np.ndarray) -> np.ndarray:
    """The pictures at these rows (n,) as the network takes them: (n, S, S, 3) uint8."""
    pictures = Pictures(table.iloc[streets], raw, framed(wanted), wanted.decoded_side)
    shown = progress(range(len(pictures)), what="read streets", unit="photo")
    return np.stack([pictures[place] for place in shown]) if len(pictures) else np.zeros((0, 0, 0, 3), np.uint8)


def own_photos(table: pd.DataFrame, rows: np.ndarray, streets: np.ndarray) -> list[np.ndarray]:
    """For each of `rows` (N,) of the manifest the places among `streets` (n,) of its own item's pictures.

    Of the target's none: its items are not looked at.
    """
    items, source = product_codes(table), (table[META_DOMAIN] == MetaDomain.SOURCE).to_numpy()
    return [np.flatnonzero(source[row] & (items[streets] == items[row])) for row in rows]
