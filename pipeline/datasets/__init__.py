"""One module a dataset; each turns files on disk into the manifest (see pipeline.datasets._shared.face)."""
