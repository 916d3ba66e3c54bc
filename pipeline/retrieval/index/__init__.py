"""The index of a catalogue: built, measured, written, read, changed."""
