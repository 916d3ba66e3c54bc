"""Params as DVC's --set-param takes them: hydra's override grammar, in which much must be quoted or escaped."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.base.errors import UserError
from pipeline.experiments.changes import MISSING, look_up

# What can be a key: in hydra's grammar these are never quoted, and read as numbers or constants where they look so.
PATH_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
MAPPING_KEY = re.compile(r"[A-Za-z_/][A-Za-z0-9_/+.%*@?|()\[\]{}:=, -]*")
PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*")  # texts that need no quotes
CONSTANTS = ("null", "true", "false", "nan", "inf")
ESCAPED = re.compile(r"([()\[\]{}:=, ])")


def overrides(changes: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Arguments of --set-param that make `changes` (full name -> value) to `params`, the content of params.yaml.

    Raises UserError, naming the param, for what the grammar has no words for.
    """
    return [text for name, value in changes.items() for text in _override(name, value, look_up(params, name))]


def _override(name: str, value: Any, present: Any) -> list[str]:
    if not all(PATH_KEY.fullmatch(key) for key in name.split(".")):
        raise UserError(f"{name}: not a name that DVC can set; set the mapping that it is in as a whole")
    try:
        text = f"{name}={spelled(value)}"
    except ValueError as error:
        raise UserError(f"{name}: {error}; write it into params.yaml") from None
    if present is MISSING:
        return [f"+{text}"]
    # A mapping is merged with one that is there, and does not replace a list.
    return [f"~{name}", f"+{text}"] if isinstance(present, Mapping | list) else [text]


def spelled(value: Any) -> str:
    """A value of YAML in hydra's grammar. Raises ValueError for one that has no spelling there."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return _quoted(value)
        case list():
            return f"[{','.join(map(spelled, value))}]"
        case Mapping():
            return f"{{{','.join(f'{_key(key)}:{spelled(entry)}' for key, entry in value.items())}}}"
    raise ValueError(f"DVC cannot set a value like {value!r}")


def _quoted(text: str) -> str:
    if PLAIN.fullmatch(text) and text.lower() not in CONSTANTS:
        return text
    if "${" in text or text == "???":
        raise ValueError(f"DVC cannot set {text!r}, which its settings give a meaning of their own")
    # Backslashes are plain, but for those before a quote.
    return "'" + re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + (r"\'" if found[2] else ""), text) + "'"


def _key(key: Any) -> str:
    if not isinstance(key, str) or not MAPPING_KEY.fullmatch(key) or key.lower() in CONSTANTS:
        raise ValueError(f"DVC cannot set a mapping with the key {key!r}")
    return ESCAPED.sub(r"\\\1", key)
