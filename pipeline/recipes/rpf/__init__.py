"""RPF: pictures that share a value of an attribute, from the whole picture to the part that the attribute is about."""
