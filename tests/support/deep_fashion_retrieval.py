"""A small tree of both sets of deep-fashion-retrieval, from the golden lines of its lists."""

from pathlib import Path
from typing import Any

from PIL import Image

from support.golden import golden

CATEGORIES = 50
FILES = {
    "deepfashion_attributes/Anno/list_category_img.txt": "cat_lines",
    "deepfashion_attributes/Eval/list_eval_partition.txt": "cat_partition_lines",
    "deepfashion_inshop/list_bbox_inshop.txt": "inshop_bbox_lines",
    "deepfashion_inshop/list_eval_partition.txt": "inshop_partition_lines",
}


def golden_case() -> dict[str, Any]:
    """What the lists hold, and what is kept of them."""
    return golden("parsers_and_inshop_eval", "deep_fashion_retrieval")


def write_tree(root: Path) -> None:
    """The lists (In-shop's flat), and every picture that they name."""
    case = golden_case()
    # Its reader keeps the categories 1 to 20, which are those of upper-body clothes.
    names = [f"kind_{label:02d} {1 if label < 20 else 2 if label < 36 else 3}" for label in range(CATEGORIES)]
    lists = {name: case[lines].tolist() for name, lines in FILES.items()}
    lists["deepfashion_attributes/Anno/list_category_cloth.txt"] = [
        str(CATEGORIES),
        "category_name category_type",
        *names,
    ]
    for name, lines in lists.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("\n".join(lines) + "\n")
    for part, lines in (("deepfashion_attributes", "cat_lines"), ("deepfashion_inshop", "inshop_partition_lines")):
        for number, line in enumerate(case[lines][2:].tolist()):
            path = root / part / line.split()[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 12), (3 * number, 90, 255 - 3 * number)).save(path)
