"""WS7: target products are matched greedily with source products, by the means of their pictures, without clusters.

By definition it knows which target pictures show one product.
"""

from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import Links
from pipeline.weighting.matches import links_of_matches

USES_TARGET_ITEMS = True


def links(evidence: Evidence) -> Links:
    """One-to-one, whatever the categories: each target product of an aligned category is matched, with all pictures."""
    return links_of_matches(evidence.one_to_one, evidence.target_products)
