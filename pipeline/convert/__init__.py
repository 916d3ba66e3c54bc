"""Foreign checkpoints as models of this project."""
