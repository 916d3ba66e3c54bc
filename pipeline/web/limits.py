"""What a client may ask for."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

from pipeline.base.errors import UserError


@dataclass(frozen=True)
class Limits:
    """The caps of the server; docs/serving.md says what each of them is for.

    `upload_mb`: of one request, `uploads_mb`: of all that are being read. `megapixels`: of a picture.
    `search_seconds`: reading the picture, embedding and searching. `stall_seconds`: without a byte of the body,
    `upload_seconds`: for all of it. `at_once` searches run, `waiting` wait. `results`: of a model.
    """

    upload_mb: float = 16
    uploads_mb: float = 256
    megapixels: float = 40
    search_seconds: float = 20
    stall_seconds: float = 10
    upload_seconds: float = 120
    at_once: int = field(default_factory=lambda: os.cpu_count() or 1)
    waiting: int = 16
    results: int = 200

    @classmethod
    def of(cls, settings: Iterable[str]) -> "Limits":
        """The usual ones, changed by `name=value`. Raises UserError for another name or a value that is no limit."""
        known = {field.name: field.type for field in fields(cls)}
        changed = {}
        for setting in settings:
            name, _, text = setting.partition("=")
            if name not in known:
                raise UserError(f"limit {setting!r}: not one of {', '.join(known)}, as in upload_mb=8")
            try:
                changed[name] = known[name](text)
            except ValueError:
                changed[name] = -1
            if not 0 < changed[name] < 1e9 and not (name == "waiting" and changed[name] == 0):
                raise UserError(f"limit {setting!r}: {text!r} is no limit; give a number above 0")
        return replace(cls(), **changed)

    @property
    def upload_bytes(self) -> int:
        """`upload_mb` in bytes."""
        return int(self.upload_mb * 1e6)
