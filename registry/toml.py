"""TOML files checked against a model: an error names the file, the line, the key and the nearest valid key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from telemetry.errors import UsageError, cause, nearest

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]


def load(path: Path, model: type[M], what: str) -> M:
    """Read and check a TOML file. Raises UsageError with a sentence that names file, line and key."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(f"There is no {what} {path}. Give the path of an existing file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The {what} {path} cannot be read: {cause(error)}.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}.") from None
    return validate(raw, model, path, text)


def validate(raw: dict[str, Any], model: type[M], path: Path, text: str) -> M:
    """Check plain data that came from `text` of `path`."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise UsageError("\n".join(_sentence(e, model, path, text) for e in error.errors()[:10])) from None


def _sentence(error: Any, model: type[BaseModel], path: Path, text: str) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    where: Location = error["loc"]
    line = _line_of(where, text)
    at = f"{path}, line {line}" if line else str(path)
    name = ".".join(str(p) for p in where) or "the file"
    if error["type"] in _UNKNOWN:
        return f"{at}: unknown key '{where[-1]}'; {nearest(str(where[-1]), _valid_keys(model, where[:-1]))}"
    if error["type"] in _CHOICES:
        return f"{at}: {name}: '{error['input']}' is not valid; {nearest(str(error['input']), _choices(error))}"
    if error["type"] == "missing":
        return f"{at}: '{name}' is missing; add it."
    text = _form(error, model) or error["msg"].removeprefix("Value error, ")
    return f"{at}: {name}: {text}" + ("" if text.endswith((".", "?")) else ".")


_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")  # of models, of dataclasses
_CHOICES = ("literal_error", "enum")
_LISTS = ("list_type", "tuple_type", "set_type", "frozen_set_type")
_TABLES = ("model_type", "model_attributes_type", "dataclass_type", "dict_type")
_KINDS = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


def _choices(error: Any) -> list[str]:  # noqa: ANN401 - pydantic's ErrorDetails
    return re.findall(r"'([^']*)'", error["ctx"]["expected"])


def _form(error: Any, model: type[BaseModel]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """What is expected in place of what, and how TOML writes it; empty for every other fault."""
    where: Location = error["loc"]
    found = _KINDS.get(type(error["input"]), "a date or time")
    keys = _valid_keys(model, where)
    inside = f" with {', '.join(keys[:6])}" if keys else ""
    key = str(where[-1]) if where else ""
    heading = ".".join(str(step) for step in where if isinstance(step, str))
    if error["type"] in _LISTS and keys:
        entry = ", ".join(f"{k} = ..." for k in keys[:2])
        return (
            f"expected a list of tables{inside}, found {found}; write {key} = [{{ {entry} }}], "
            f"or one [[{heading}]] for each entry"
        )
    if error["type"] in _LISTS:
        return f"expected a list, found {found}; write {key} = [...]"
    if error["type"] in _TABLES:
        end = "" if where and isinstance(where[-1], int) else f"; write one [{heading}]"
        return f"expected a table{inside}, found {found}{end}"
    return ""


def place(path: Path, where: Location) -> str:
    """File and line of an entry, such as ("target", 0) for the first [[target]]."""
    line = _line_of(where, path.read_text(encoding="utf-8"))
    return f"{path}, line {line}" if line else str(path)


def _valid_keys(model: Any, where: Location) -> list[str]:  # noqa: ANN401 - walks annotations
    """Valid keys of the model at `where`."""
    named = False  # the last step was into a table whose keys are free
    for step in where:
        if isinstance(step, int) or named:
            named = False
            continue
        field = fields_of(model).get(step)
        named = field is not None and getattr(field.annotation, "__origin__", None) is dict
        model = model_in(field.annotation) if field else None
    return [k for k in fields_of(model) if k != "documented"]


def fields_of(model: Any) -> dict[str, Any]:  # noqa: ANN401
    """The fields of a pydantic model or dataclass; empty for anything else."""
    found: dict[str, Any] = getattr(model, "__pydantic_fields__", None) or getattr(model, "model_fields", {})
    return found


def model_in(annotation: Any) -> Any:  # noqa: ANN401
    """The pydantic model or dataclass inside an annotation such as list[Device]."""
    if isinstance(annotation, type) and fields_of(annotation):
        return annotation
    inside = (model_in(a) for a in getattr(annotation, "__args__", ()))
    return next((m for m in inside if m is not None), None)


def _line_of(where: Location, text: str) -> int | None:
    """1-based line of a key, or of the innermost table around it that has one."""
    best, line, here = 0, None, Location()
    arrays: dict[Location, int] = {}
    for number, content in enumerate(text.splitlines(), 1):
        found = _HEADER.match(content)
        key = None if found else _KEY.match(content)
        if found:
            here = _table(_names(found[2]), found[1] == "[[", arrays)
        place = (*here, *_names(key[1])) if key else here
        depth = min(len(place), len(where))
        if (found or key) and depth > best and place[:depth] == where[:depth]:
            best, line = depth, number
    return line


_HEADER = re.compile(r"\s*(\[\[?)\s*([\w\"'.-]+)\s*\]")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w.-]+)+)\s*=""")
_NAME = re.compile(r""""([^"]*)"|'([^']*)'|([^.]+)""")


def _names(dotted: str) -> list[str]:
    """The parts of a dotted key; a quoted part may hold dots itself."""
    return ["".join(parts) for parts in _NAME.findall(dotted)]


def _table(names: list[str], is_array: bool, arrays: dict[Location, int]) -> Location:
    """The location of a table: names, and after each array of tables the index of its entry."""
    place: Location = ()
    for i, name in enumerate(names):
        place = (*place, name)
        if is_array and i == len(names) - 1:
            arrays[place] = arrays.get(place, -1) + 1
        if place in arrays:
            place = (*place, arrays[place])
    return place
