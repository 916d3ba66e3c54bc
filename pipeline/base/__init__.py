"""What every room stands on: errors, names, files written whole, seeds, devices."""
