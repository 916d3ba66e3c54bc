"""Arrays by rows: blocks, ragged lists, checks."""
