"""Comparisons: settings of the chain, each run with several seeds."""
