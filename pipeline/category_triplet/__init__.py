"""Training by categories and triplets: losses and batches of the recipe `category_triplet`."""
