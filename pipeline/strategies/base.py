"""Base: every target picture supports all products it shares a cluster with; nothing is weighted."""

from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import Links

USES_TARGET_ITEMS = False


def links(evidence: Evidence) -> Links:
    """All pairs of a target picture and a product in one cluster: a target picture may have many products.

    Their number grows with the size of the clusters: meant for the first partitions.
    """
    return evidence.together
