"""One thin click command a DVC stage."""
