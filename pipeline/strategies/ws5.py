"""WS5: every listed target picture supports the product it is most similar to, by itself."""

from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import Links

USES_TARGET_ITEMS = False


def links(evidence: Evidence) -> Links:
    """The similarity list as it is. A target picture has one product; a product may have many target pictures."""
    return evidence.similar
