"""Fabrics, their colours and patterns."""
