"""What finds the nearest rows: one module an engine."""
