"""Speed and memory of the heavy parts, as ratios to what cannot be avoided."""
