"""Decoding pictures and turning them into tensors."""
