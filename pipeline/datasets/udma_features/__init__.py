"""The pair of UDMA as its released features."""
