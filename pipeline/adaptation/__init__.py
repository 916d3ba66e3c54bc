"""Retraining the head on linked features."""
