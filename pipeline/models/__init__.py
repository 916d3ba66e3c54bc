"""Embedding models: backbone, pooling, head."""
