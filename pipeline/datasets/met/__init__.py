"""The Met dataset (Ypsilantis et al., NeurIPS 2021): 397,121 studio photos of 224,408 exhibits of a museum.

Its visitors' photos, which are queries, are not read.
"""
