"""The head that a dataset gives with its features."""
