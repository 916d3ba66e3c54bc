"""The training pairs of the recipe `triplet`."""
