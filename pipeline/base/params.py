"""Reading params.yaml strictly: a mistake is one line that names `section.key`."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.base.errors import UserError
from pipeline.base.opening import opening

PARAMS_FILE = Path("params.yaml")


class Section(BaseModel):
    """A section of params.yaml. Unknown keys, wrong types and values out of range are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


SectionType = TypeVar("SectionType", bound=Section)

# YAML has no tuples: a list is what the user writes.
AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Size = Annotated[tuple[int, int], AsTuple]


def load_params(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """The whole file as plain dicts (YAML 1.2, as DVC reads it: `1e-3` is a number).

    Raises UserError when the file is missing, cannot be opened, is no UTF-8 or is not a YAML mapping.
    """
    try:
        with opening(path), open(path, encoding="utf-8") as file:
            content = YAML(typ="safe", pure=True).load(file)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run from the folder that holds params.yaml") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not text in UTF-8; save it as UTF-8") from None
    except (YAMLError, ValueError) as error:  # a ValueError is of a date that there is not
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UserError(f"{path}{where}: not valid YAML: {problem}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a mapping of sections, found {type(content).__name__}")
    return content


def read_section(params: dict[str, Any], name: str, model: type[SectionType]) -> SectionType:
    """The section `name` (dots descend: `recipes.triplet`) of `params` as `model`.

    Raises UserError with one line naming every faulty `section.key`.
    """
    return parse_section(_descend(params, name), name, model)


def parse_section(values: Any, name: str, model: type[SectionType]) -> SectionType:
    """`values` as `model`; errors are reported under `name`."""
    return _parse(values, name, f"{name}.", model)


def parse_file(values: Any, path: Path, model: type[SectionType]) -> SectionType:
    """`values`, the content of the params file `path`, as `model`; errors name `path:key`, as DVC does."""
    return _parse(values, path.as_posix(), f"{path.as_posix()}:", model)


def _parse(values: Any, name: str, prefix: str, model: type[SectionType]) -> SectionType:
    if not isinstance(values, dict):
        raise UserError(f"{name}: expected a section with keys {', '.join(model.model_fields)}, found {values!r}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError("; ".join(_describe(name, prefix, problem, model) for problem in error.errors())) from None


def read_seed(params: dict[str, Any]) -> int:
    """The top-level `seed`, a non-negative int."""
    seed = params.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise UserError(f"seed: expected a whole number from 0 to {2**31 - 1}, found {seed!r}")
    return seed


def _descend(params: dict[str, Any], name: str) -> Any:
    values: Any = params
    for key in name.split("."):
        if not isinstance(values, dict) or key not in values:
            raise UserError(f"{name}: section missing from params.yaml")
        values = values[key]
    return values


def _describe(name: str, prefix: str, problem: Any, model: type[Section]) -> str:
    keys = ".".join(str(part) for part in problem["loc"])
    location = f"{prefix}{keys}" if keys else name
    match problem["type"]:
        case "extra_forbidden":
            known = list(model.model_fields)
            close = get_close_matches(str(problem["loc"][-1]), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close and len(problem["loc"]) == 1 else "see there"
            return f"{location}: unknown key; {hint}"
        case "missing":
            return f"{location}: missing key"
        case _:
            message = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
            return f"{location}: {message[:1].lower()}{message[1:]}, found {problem['input']!r}"
