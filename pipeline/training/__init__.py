"""The training loop, its checkpoints and schedules; it knows no recipe by name."""
