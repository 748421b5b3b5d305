"""The transforms of scenarios; the folder is the registry. Adding one is adding one file.

A module has `Options` (a msgspec Struct: what a scenario file may set, defaults with their source) and
`apply(now, options)`, which returns the changed situation. The file's name is its kind, its docstring its help.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from planning.situation import Situation
from telemetry.errors import UsageError, form, nearest


class Transform(NamedTuple):
    """One kind of change. `text`: the first line of its description."""

    kind: str
    options: type[msgspec.Struct]
    apply: Callable[[Situation, Any], Situation]
    text: str


def _load() -> dict[str, Transform]:
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{entry.name}")
        text = (module.__doc__ or "").split("\n", maxsplit=1)[0]
        found[entry.name] = Transform(entry.name, module.Options, module.apply, text)
    return found


TRANSFORMS = _load()


def applied(now: Situation, entry: dict[str, Any]) -> Situation:
    """Apply one `[[transform]]` entry of a scenario file. Raises UsageError naming what is wrong with it."""
    kind = str(entry.get("kind", ""))
    if kind not in TRANSFORMS:
        raise UsageError(f"'{kind}' is not a kind of transform; {nearest(kind, TRANSFORMS)}")
    plain = {key: value for key, value in entry.items() if key != "kind"}
    known = [f.name for f in msgspec.structs.fields(TRANSFORMS[kind].options)]
    for key in plain:
        if key not in known:
            raise UsageError(f"'{key}' is not an option of {kind}; {nearest(key, known)}")
    try:
        options = msgspec.convert(plain, TRANSFORMS[kind].options)
    except msgspec.ValidationError as error:
        raise UsageError(f"{kind}: {form(error)}.") from None
    return TRANSFORMS[kind].apply(now, options)
