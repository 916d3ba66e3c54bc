"""Ranking a gallery for queries."""
