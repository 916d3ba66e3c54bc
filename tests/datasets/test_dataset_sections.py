"""Every dataset module has a valid section in the committed params.yaml and the common face."""

import pytest
from support.project import default_params

from pipeline.base.plugins import plugin_names
from pipeline.datasets._shared.face import DATASETS, DatasetParams, load_dataset


@pytest.mark.parametrize("name", plugin_names(DATASETS))
def test_committed_section_and_common_face(name):
    module, params = load_dataset(default_params(), name)
    assert isinstance(params, DatasetParams)
    assert callable(module.fetch)
    assert callable(module.read_table)
