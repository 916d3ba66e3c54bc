"""Params as DVC's --set-param takes them: hydra's override grammar, written and read back by hydra's own tools."""

from collections.abc import Mapping
from typing import Any

from pipeline.base.errors import UserError
from pipeline.experiments.changes import MISSING, full_name, look_up, split_name


def overrides(changes: Mapping[str, Any], params: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Arguments of --set-param that make `changes` (full name -> value) to `params` (file -> its content).

    Raises UserError, naming the param, for what does not arrive in the file as it is.
    """
    return [text for name, value in changes.items() for text in _override(name, value, params)]


def _override(name: str, value: Any, params: Mapping[str, Mapping[str, Any]]) -> list[str]:
    file, key = split_name(name)
    if not _arrives(f"{key}=null", None):
        raise UserError(f"{name}: not a name that DVC can set; set the mapping that it is in as a whole")
    text = f"{key}={_spelled(value, name)}"
    if not _arrives(text, value):
        raise UserError(f"{name}: DVC cannot set {value!r}; write it into {file}")
    match look_up(params[file], key):
        case present if present is MISSING:
            parts = [f"+{text}"]
        case dict() | list():  # a mapping is merged with one that is there, and does not replace a list
            parts = [f"~{key}", f"+{text}"]
        case _:
            parts = [text]
    return [full_name(file, part) for part in parts]


def _spelled(value: Any, name: str) -> str:
    from hydra.core.override_parser.types import Override, OverrideType, Quote, QuotedString, ValueType

    def quoted(value: Any) -> Any:
        match value:
            case str():
                return value if _arrives(f"a={{b:{value}}}", {"b": value}) else QuotedString(value, Quote.single)
            case list():
                return [quoted(entry) for entry in value]
            case dict():
                return {key: quoted(entry) for key, entry in value.items()}
            case None | bool() | int() | float():
                return value
        raise UserError(f"{name}: DVC cannot set a value like {value!r}; write it into the file")

    return Override(OverrideType.CHANGE, name, ValueType.ELEMENT, quoted(value)).get_value_element_as_str()


def _arrives(text: str, value: Any) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        # OmegaConf, which DVC puts it into, gives some texts a meaning of its own.
        config = OmegaConf.create({"value": OverridesParser.create().parse_override(text).value()})
        return repr(OmegaConf.to_object(config)["value"]) == repr(value)
    except (HydraException, OmegaConfBaseException):
        return False
