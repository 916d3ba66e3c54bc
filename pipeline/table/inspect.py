"""Is every picture readable? One pass over all files before anything is computed from them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from pipeline.arrays.blocks import slices
from pipeline.base.progress import progress
from pipeline.images.decode import UnreadableImage, content_digest, decode_image, read_content

WAITING = 10_000  # pictures that wait for a worker at a time: 2 kB each


@dataclass(frozen=True)
class Inspection:
    """What a file holds: digest of its bytes and upright size in pixels, or the problem that makes it unreadable."""

    digest: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""


def inspect_images(paths: Sequence[Path], *, min_side: int, workers: int) -> list[Inspection]:
    """Decode every file in full, `workers` at a time (threads: Pillow decodes outside the interpreter lock).

    What passes here can be read by all later stages, for whatever box and size: see `decode_image`.

    A picture smaller than `min_side` pixels on a side counts as unreadable. The order is that of `paths`.
    """
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        inspect = partial(_inspect, min_side=min_side)
        found = chain.from_iterable(pool.map(inspect, paths[part]) for part in slices(len(paths), WAITING))
        return list(progress(found, what="checking pictures", total=len(paths), unit="picture"))


def _inspect(path: Path, min_side: int) -> Inspection:
    try:
        content = read_content(path)
        width, height = decode_image(content, min_side=min_side).size
    except UnreadableImage as error:
        return Inspection(problem=str(error))
    return Inspection(content_digest(content), width, height)
