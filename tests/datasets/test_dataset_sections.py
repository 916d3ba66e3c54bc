"""Every dataset has valid committed params and the common face."""

import pytest
from support.project import PROJECT

from pipeline.base.params import Section, load_params
from pipeline.base.plugins import plugin_names
from pipeline.datasets._shared.face import DATASETS, load_dataset


@pytest.mark.parametrize("name", plugin_names(DATASETS))
def test_committed_params_and_common_face(name):
    module, params = load_dataset(name, lambda path: load_params(PROJECT / path))
    assert isinstance(params, Section)
    assert callable(module.fetch)
    assert callable(module.read_table)
