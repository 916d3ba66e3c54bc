"""WS8: the matches of WS7, read by the rule of WS6.

By definition it knows which target pictures show one product.
"""

from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import Links
from pipeline.weighting.matches import best_per_source, links_of_matches

USES_TARGET_ITEMS = True


def links(evidence: Evidence) -> Links:
    """The most similar target product of each source product. The matches being one-to-one, these are WS7's links."""
    return links_of_matches(best_per_source(evidence.one_to_one), evidence.target_products)
