"""Comparing settings over seeds: what is planned, run and reported."""
