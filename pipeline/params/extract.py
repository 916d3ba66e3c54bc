"""Section `extract`."""

from typing import Literal

from pydantic import ConfigDict

from pipeline.params.base import Section


class ExtractParams(Section):
    """`normalize_pooled`: store pooled features L2-normalised (the choice is kept with the features)."""

    normalize_pooled: bool


class EvaluatedParams(Section):
    """What extraction reads of the section `evaluate`: whose test part may not be empty. It changes no file."""

    model_config = ConfigDict(extra="ignore")

    meta_domain: Literal["target", "source"]
