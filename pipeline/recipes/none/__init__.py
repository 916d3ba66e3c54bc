"""No training: the pretrained trunk as it is."""
