"""What the tests of the dataset modules share: the real lists, tiny pictures, params."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.project import set_params
from support.released import RELEASED_WIDTH, features, write_deepfashion, write_small_tests, write_training

from pipeline.datasets._shared.face import load_dataset
from pipeline.table.finish import finish_manifest
from pipeline.table.manifest import check_table
from pipeline.table.sets import join_sets

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def _shared(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"third-party data, not kept with the code: no folder {name} in ../shared/data")
    return SHARED / name


@pytest.fixture(scope="session")
def udma_lists() -> Path:
    """The published list files of UDMA."""
    return _shared("udma_manifests")


@pytest.fixture(scope="session")
def wardrobe() -> Path:
    """A real-photo set in the form of the table dataset."""
    return _shared("wardrobe")


@pytest.fixture(scope="session")
def grocery() -> Path:
    """Pictures of fruit and vegetables in the form of the table dataset."""
    return _shared("grocery")


@pytest.fixture
def dataset() -> Callable[..., Any]:
    """`dataset(name, **params)` -> (module, params), read the way a stage does."""
    return lambda name, **params: load_dataset(name, lambda _: params)


@pytest.fixture
def fetched(tmp_path, dataset) -> Callable[..., Any]:
    """`fetched(source, name, **section)`: fetch, read and check; -> (fetched folder, table)."""

    def run(source: Path, name: str, /, **section: Any) -> Any:
        module, params = dataset(name, **section)
        out = tmp_path / "work" / name
        out.mkdir(parents=True)
        module.fetch(source, out, params, seed=1, downloads=tmp_path / "downloads")
        return out, check_table(module.read_table(out, params), name)

    return run


@pytest.fixture
def joined(fetched) -> Callable[..., Any]:
    """`joined(source, {name: params})`: fetch sets from the folders in `source`, and join them; -> (folder, table)."""

    def run(source: Path, sets: dict[str, dict[str, Any]]) -> Any:
        finished = []
        for name, params in sets.items():
            out, table = fetched(source / name, name, **params)
            finished.append(finish_manifest(table, out, min_side=1, max_unreadable=0.0, workers=1))
        return out.parent, join_sets(list(sets), finished)[0]

    return run


@pytest.fixture
def picture() -> Callable[[Path], None]:
    """`picture(path)` draws a picture of 8 x 8 pixels there."""

    def draw(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), "navy").save(path)

    return draw


@pytest.fixture
def released_section() -> dict[str, Any]:
    """The committed params."""
    return set_params("udma_features")


@pytest.fixture
def released(tmp_path) -> Path:
    """Small files of both test parts, 16 wide."""
    root = tmp_path / "released"
    write_training(root, RELEASED_WIDTH)
    write_small_tests(root, RELEASED_WIDTH)
    write_deepfashion(root, "Query", features(4, RELEASED_WIDTH, 7), np.array(["id_00000001", "id_00000002"] * 2))
    write_deepfashion(root, "Gallery", features(5, RELEASED_WIDTH, 8), np.array(["id_00000002"] * 5))
    return root


@pytest.fixture
def fetch_released(released, released_section, fetched) -> Callable[..., Any]:
    """Fetch the small files with changes of the section."""
    return lambda **changes: fetched(released, "udma_features", **released_section | changes)
