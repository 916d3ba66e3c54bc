"""The body that wears a garment."""
