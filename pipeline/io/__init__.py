"""Files: the manifest table, features in HDF5, reports, work in progress."""
