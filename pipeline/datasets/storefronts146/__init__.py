"""Storefronts-146 (Kaggle): 4,545 photos of the shop fronts of 144 chains in its list, 1 to 52 of each."""
