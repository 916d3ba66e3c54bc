"""Typed, strict models of the sections of params.yaml."""
