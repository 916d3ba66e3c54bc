"""Which models are made of a source that is not enough for all of them."""

import numpy as np
import pytest
from support.project import committed_params

from pipeline.adaptation.models import Made, make_models
from pipeline.base.errors import UserError
from pipeline.base.names import Domain
from pipeline.base.params import parse_section
from pipeline.base.runtime import RuntimeParams
from pipeline.control.held_out import Source
from pipeline.features.views import Views
from pipeline.models.head import Head
from pipeline.params.adapt import AdaptParams
from pipeline.table.domains import CODES

SHOP, CONSUMER = CODES[Domain.SHOP], CODES[Domain.CONSUMER]
WIDTH = 8


def source(domains: tuple[int, ...], viewed: int = 0, items: int = 12) -> Source:
    """Items with a picture of each of these domains, of which the shop pictures of the first `viewed` have views."""
    item, domain = np.repeat(np.arange(items), len(domains)), np.tile(domains, items)
    pooled = np.random.default_rng(0).random((len(item), WIDTH), dtype=np.float32)
    rows = np.flatnonzero(domain == SHOP)[:viewed]
    views = Views(None, rows, {"street": 8}, WIDTH, "", "", 0)
    return Source(pooled, domain, item, np.arange(len(item)), Head.identity(WIDTH, norm_features=False), views, 4)


def made_of(source: Source, tmp_path, target, **changes: object) -> tuple[Made, str]:
    said: list[str] = []
    section, runtime = committed_params()["adapt"] | changes, committed_params()["runtime"]
    made = make_models(
        source,
        target,
        params=parse_section(section, "adapt", AdaptParams),
        runtime=parse_section(runtime, "runtime", RuntimeParams),
        seed=0,
        folder=tmp_path,
        say=said.append,
    )
    return made, "\n".join(said)


def not_read():
    pytest.fail("no head is retrained")


def test_without_pairs_there_is_no_model_and_links_are_not_read(tmp_path):
    made, said = made_of(source((SHOP,)), tmp_path, not_read)
    assert made.models == {}
    assert said == (
        "0 items of the source have pictures of both domains, too few to measure on in 5 parts, so there is no model "
        "control or linked or viewed"
    )


def test_where_a_retrained_head_is_wanted_links_are_read(tmp_path):
    def target():
        raise UserError("read")

    with pytest.raises(UserError, match="^read$"):
        made_of(source((SHOP,)), tmp_path, target, models=["udma"])


def test_too_few_viewed_items_are_blamed_on_their_param(tmp_path):
    made, said = made_of(source((SHOP, CONSUMER), viewed=3), tmp_path, not_read)
    assert made.models == {}
    assert said.startswith("3 items of the source have views (views.items says how many may; 0: none")
    made, said = made_of(source((SHOP, CONSUMER)), tmp_path, None)
    assert [*made.models] == ["control"]
    assert "no views are drawn of the source, so there is no model viewed" in said
