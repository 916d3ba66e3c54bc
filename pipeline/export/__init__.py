"""A run's model for other programs: ONNX and torch.export, preprocessing included, checked, with a card."""
