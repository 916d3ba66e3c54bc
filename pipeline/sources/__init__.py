"""What datasets share: their common face, downloads, archives, list files."""
