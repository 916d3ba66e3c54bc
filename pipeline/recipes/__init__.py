"""One package a training method, with a module `recipe` (see pipeline.training.recipe)."""
