"""The weighting strategies, a module each; `pipeline.weighting.strategy` says what a module has."""
