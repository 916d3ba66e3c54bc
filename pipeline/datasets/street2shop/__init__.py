"""Street2Shop."""
