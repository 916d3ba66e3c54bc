"""Speed and memory of the heavy parts, as ratios to the bare work in them."""
