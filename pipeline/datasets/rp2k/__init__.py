"""RP2K (Peng et al., 2020): pictures cut out of photos of shelves, some 400,000 of about 2,000 retail products."""
