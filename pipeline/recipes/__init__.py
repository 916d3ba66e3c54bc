"""One module a training method (see pipeline.training.recipe)."""
