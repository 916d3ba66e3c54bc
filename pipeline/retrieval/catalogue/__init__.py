"""Catalogues that live: pictures come into an index and go from it."""
