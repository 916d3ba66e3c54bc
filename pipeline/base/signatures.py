"""What a file really is that was brought as a checkpoint, told by its first bytes."""

import re
import zipfile
from pathlib import Path

from pipeline.base.opening import opening

HEAD = 1024  # bytes that tell
UNPACK = "; unpack it and give the file in it"
SAVE = "; save the state_dict of the model with torch.save"
ZIP, PICKLE = b"PK\x03\x04", b"\x80"
MAGIC = bytes.fromhex("6cfc9c46f9206aa85019")  # of torch.save before it wrote zip files
MARKS = {
    b"\x1f\x8b": f"packed by gzip{UNPACK}",
    b"BZh": f"packed by bzip2{UNPACK}",
    b"\xfd7zXZ": f"packed by xz{UNPACK}",
    b"\x28\xb5\x2f\xfd": f"packed by zstd{UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"packed by 7-Zip{UNPACK}",
    b"Rar!": f"packed by RAR{UNPACK}",
    b"\x89HDF": f"HDF5, as Keras writes it{SAVE}",
    b"\x93NUMPY": f"an array of NumPy{SAVE}",
}
TEXTS = {
    r"version https://git-lfs": "a pointer of git-lfs; run `git lfs pull` in the repository that it is from",
    r"<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html": (
        "an HTML page, which a server sent in its place; open the address in a browser and save the file from there"
    ),
    r"<": "XML; get it again",
    r"[{\[]\s*[\"{\[}\]\d-]": "JSON; give the file of the weights, which may lie beside it",
    r"": "text; get it again",
}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # characters that no text has


def foreign_kind(path: Path) -> str | None:
    """What the file is instead of one of torch.save, and what to do; None: it is one, or of no kind known here.

    Raises UserError when it cannot be opened.
    """
    with opening(path), open(path, "rb") as file:
        head = file.read(HEAD)
    if not head:
        return "an empty file; get it again"
    if head.startswith(ZIP):
        return _zip_kind(path)
    marked = next((kind for mark, kind in MARKS.items() if head.startswith(mark)), None)
    return marked or _binary_kind(head) or _text_kind(head)


def _zip_kind(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
    except zipfile.BadZipFile:  # cut off
        return None
    if "data.pkl" not in names:
        return f"a zip archive{UNPACK}"
    return f"a program of TorchScript{SAVE}" if "constants.pkl" in names else None


def _binary_kind(head: bytes) -> str | None:
    if head[257:262] == b"ustar":
        return f"a tar archive{UNPACK}"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32:
        return "safetensors, which takes no conversion; name it in finetune.model.weights if it is of a trunk"
    if head.startswith(PICKLE) and MAGIC not in head[:32]:
        return f"a pickle of another program{SAVE}"
    return None


def _text_kind(head: bytes) -> str | None:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < HEAD - 3:  # else a letter was cut in two
            return None
        text = head[: error.start].decode("utf-8-sig")
    if CONTROL.search(text):
        return None
    return next(kind for start, kind in TEXTS.items() if re.match(start, text.lstrip(), re.IGNORECASE))
