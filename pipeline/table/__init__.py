"""The manifest: one checked table, a row an image."""
