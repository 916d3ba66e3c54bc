"""Furniture-180 (QuData GEMBED, Kaggle): 2,687 photos of 180 kinds of furniture, 10 to 40 of each."""
