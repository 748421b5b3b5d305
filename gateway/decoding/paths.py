"""Paths into a decoded message: JMESPath, of which the plain ones (`a.b`, `*.c`, `a[*].b`) are walked directly.

`find(message)` gives what the path leads to, None where there is nothing; a path with `*` gives a list. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from telemetry.errors import UsageError

Find = Callable[[Any], Any]

_STEP = re.compile(r'(?:^|\.)(?:([A-Za-z_]\w*)|("(?:[^"\\]|\\.)*")|(\*))|\[(\*)\]')
_ANY = object()


def steps(path: str) -> list[object] | None:
    """The steps of a plain path, each a name or the mark of any; None for what only the library can read."""
    found: list[object] = []
    place = 0
    while place < len(path):
        step = _STEP.match(path, place)
        if step is None:
            return None
        name, quoted, star, listed = step.groups()
        if listed and not found:
            return None
        found.append(_ANY if star else _ALL if listed else json.loads(quoted) if quoted else name)
        place = step.end()
    return found


_ALL = object()


def first_name(path: str) -> str | None:
    """The member of the message with which a path begins; None where it begins otherwise."""
    found = steps(path)
    if found:
        return found[0] if isinstance(found[0], str) else None
    quoted = re.match(r'([A-Za-z_]\w*)|"([^"]*)"', path)
    return quoted[1] or quoted[2] if quoted else None


def joined_names(path: str) -> frozenset[str]:
    """The names of a path that only joins single names by `||` and `&&`; none for any other path."""
    try:
        return _joined(jmespath.compile(path).parsed) or frozenset()
    except JMESPathError:
        return frozenset()


def _joined(node: Any) -> frozenset[str] | None:  # noqa: ANN401 - the library's tree
    if node["type"] == "field":
        return frozenset([node["value"]])
    parts = [_joined(child) for child in node["children"]]
    if node["type"] not in ("or_expression", "and_expression") or None in parts:
        return None
    return frozenset[str]().union(*filter(None, parts))


def compiled(path: str) -> Find:
    """A function from a message to what the path leads to. Raises UsageError for an invalid JMESPath."""
    try:
        expression = jmespath.compile(path)
    except JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"'{path}' is not a JMESPath: {reason} Put names with other characters in quotes.") from None
    plain = steps(path)
    if plain is None:
        return _of_parsed(dict(expression.parsed)) or expression.search
    if not any(step is _ANY or step is _ALL for step in plain):
        return _one_name(plain[0]) if len(plain) == 1 else _names(plain)
    return lambda message: _walk(message, plain)


def _of_parsed(node: dict[str, Any]) -> Find | None:
    """The same as the library's search, for names joined by `.`, `||` and `&&`; None for what else there is."""
    if node["type"] == "field":
        return _one_name(node["value"])
    parts = [_of_parsed(child) for child in node["children"]]
    finds = [part for part in parts if part is not None]
    if len(finds) < len(parts) or len(parts) < 2:
        return None
    if node["type"] == "subexpression":
        return _nested(finds)
    if node["type"] not in ("or_expression", "and_expression"):
        return None
    return _either(*finds, wanted=node["type"] == "or_expression")


def _nested(finds: list[Find]) -> Find:
    def find(message: Any) -> Any:  # noqa: ANN401
        for inner in finds:
            message = inner(message)
        return message

    return find


def _either(first: Find, second: Find, *, wanted: bool) -> Find:
    """What the first finds where that is `wanted` (true as JMESPath means it), or not, else what the second finds."""

    def find(message: Any) -> Any:  # noqa: ANN401
        found = first(message)
        is_true = found is not None and found is not False and found not in ("", [], {})
        return found if is_true is wanted else second(message)

    return find


def _one_name(name: object) -> Find:
    def find(message: Any) -> Any:  # noqa: ANN401
        return message.get(name) if type(message) is dict else None

    return find


def _names(names: list[object]) -> Find:
    def find(message: Any) -> Any:  # noqa: ANN401
        for name in names:
            if type(message) is not dict:
                return None
            message = message.get(name)
        return message

    return find


def _walk(message: Any, plain: list[object]) -> Any:  # noqa: ANN401
    for place, step in enumerate(plain):
        if step is _ANY or step is _ALL:
            if not isinstance(message, dict if step is _ANY else list):
                return None
            rest = plain[place + 1 :]
            inside = message.values() if isinstance(message, dict) else message
            return [found for item in inside if (found := _walk(item, rest)) is not None]
        if not isinstance(message, dict):
            return None
        message = message.get(step)
    return message
