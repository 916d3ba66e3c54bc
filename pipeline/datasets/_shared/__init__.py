"""What readers of datasets have in common."""
