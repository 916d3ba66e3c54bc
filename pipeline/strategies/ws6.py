"""WS6: a target product supports the product of its best row in the similarity list, if it is the best to choose it.

By definition it knows which target pictures show one product.
"""

from pipeline.weighting.evidence import Evidence
from pipeline.weighting.links import Links
from pipeline.weighting.matches import best_per_source, best_per_target, links_of_matches, matches_of_links

USES_TARGET_ITEMS = True


def links(evidence: Evidence) -> Links:
    """One-to-one: a target product keeps its most similar row of the list, a source product its most similar suitor.

    All pictures of the target product are linked, those that the list leaves out or gives to others too.
    """
    products = evidence.target_products
    listed = best_per_target(matches_of_links(evidence.similar, products))
    return links_of_matches(best_per_source(listed), products)
