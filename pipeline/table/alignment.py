"""Which source categories stand for a target category: `data.alignment` against the pictures there are."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from pipeline.base.errors import UserError


def check_alignment(
    alignment: Mapping[str, Sequence[str]], source_categories: Collection[str], target_categories: Collection[str]
) -> None:
    """Raise UserError for a source category listed twice, and for one of either side that looks mistyped.

    Mistyped: no picture has it, and one that is close is not listed. A category that is there, but rare, or far from
    all that are, is none of this; nor is anything where there is no target to be aligned. `source_categories` and
    `target_categories`: of all pictures, for training or not.
    """
    check_listed_once(alignment)
    if not target_categories:
        return
    sources = [category for listed in alignment.values() for category in listed]
    for name, listed in alignment.items():
        for category, known, used, side in [
            (name, target_categories, list(alignment), "target"),
            *((category, source_categories, sources, "source") for category in listed),
        ]:
            free = [one for one in known if one not in used]
            close = [] if category in known else get_close_matches(category, free, n=1)
            if close:
                raise UserError(
                    f"data.alignment.{name}: no picture of the {side} has category '{category}'; did you mean "
                    f"'{close[0]}'? Drop it if not"
                )


def check_listed_once(alignment: Mapping[str, Sequence[str]]) -> None:
    """Raise UserError for a source category that is listed twice."""
    owner: dict[str, str] = {}
    for name, listed in alignment.items():
        for category in listed:
            if category in owner:
                raise UserError(
                    f"data.alignment.{name}: source category {category!r} is listed under {owner[category]!r} already; "
                    "list every source category once"
                )
            owner[category] = name
