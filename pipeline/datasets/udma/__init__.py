"""The pair of UDMA."""
