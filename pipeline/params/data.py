"""Section `data`: which dataset, read from where."""

from pipeline.params.base import Section


class DataParams(Section):
    """`dataset` is a module of `pipeline.datasets`; `source` the folder that it is read from and that DVC watches."""

    dataset: str
    source: str
