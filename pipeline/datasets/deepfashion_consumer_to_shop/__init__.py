"""DeepFashion Consumer-to-shop."""
