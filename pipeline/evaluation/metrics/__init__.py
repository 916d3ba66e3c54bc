"""One metric a module."""
