"""What an export can be asked for; light, so that the command can name it."""

from typing import Literal

# none: frames of the model's own side are given; own: as the project frames a picture; squash: all of it to a square,
# bicubic, as published for the export of foundation models.
Resize = Literal["none", "own", "squash"]
OLDEST_OPSET = 18  # the first one with antialiased resizing, and what torch's exporter speaks
OPSET = 23  # the newest that torch's exporter names as its own
NEWEST_OPSET = 25  # the newest that onnxscript translates to; beyond, onnx itself tries, and fails on some networks
EXTRA = ("onnx", "onnxruntime", "onnxscript")  # packages
