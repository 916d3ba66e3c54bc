"""The training pair of deep-fashion-retrieval."""
