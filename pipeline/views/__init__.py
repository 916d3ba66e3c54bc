"""Street views that are drawn from catalogue pictures: what a photo of the same garment might look like."""
