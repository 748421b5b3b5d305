"""Device families: one TOML file each. The folder is the registry: a file's name is the family's name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from registry.mapping import Mapping, Message, Template
from registry.settings import SourceSettings
from registry.toml import load
from telemetry.errors import UsageError, nearest

FOLDER = Path(__file__).parent
_WIRED = ("serial", "modbus")


def families() -> list[str]:
    """All family names."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def template(name: str) -> Template:
    """A family's template. Raises UsageError for an unknown name, and for a file that is not right."""
    if name not in families():
        raise UsageError(f"There is no device family '{name}'; {nearest(name, families())}")
    return load(FOLDER / f"{name}.toml", Template, "device template")


def messages(source: SourceSettings) -> list[Message]:
    """The kinds of message of a configured source: its family's, overridden by its own keys. Raises UsageError."""
    own = _own(source)
    if source.family is None and source.format == "flat_json":
        source = source.model_copy(update={"family": "flat_json"})
    if source.family is None:
        return [_made({"topic": source.topic, "format": source.format, **own}, "the source")]
    found = template(source.family)
    shared = _said(found, Template)
    made = [_merged(_merged(shared, m.model_dump(exclude_unset=True)), own) for m in _of_door(found, source)]
    if source.port is not None or source.folder is not None:
        for m in made:  # a device that is on a wire has no topic; its address names it all the same
            m["topic"] = f"{m['door']}/{source.city}/{source.device if source.port else '{device}'}"
        return [_made(m, f"the family '{source.family}'") for m in made]
    if "topic" in source.model_fields_set:
        if len(made) > 1:
            topics = ", ".join(str(m["topic"]) for m in made)
            raise UsageError(f"The family '{source.family}' has several topics ({topics}); use `prefix` to move them.")
        made[0]["topic"] = source.topic
    if source.prefix is not None:
        for m in made:
            head, _, rest = str(m["topic"]).partition("/")
            m["topic"] = source.prefix.rstrip("/") + "/" + (str(m["topic"]) if head.startswith("{") else rest)
            m["skip"] = [source.prefix.rstrip("/") + "/" + s.partition("/")[2] for s in m.get("skip", [])]
    return [_made(m, f"the family '{source.family}'") for m in made]


def _of_door(found: Template, source: SourceSettings) -> list[Message]:
    """The kinds of message that come through the door of a source: of its wire, or by network. Raises UsageError."""
    wired = source.port is not None
    kept = [m for m in found.message if (m.door in _WIRED) == wired]
    if wired and not kept:
        raise UsageError(f"The family '{source.family}' does not come on a wire: leave `port` out.")
    return kept or found.message


def _said(model: Mapping, kind: type[Mapping]) -> dict[str, Any]:
    """The keys of a mapping that were written."""
    return {k: v for k, v in model.model_dump(exclude_unset=True).items() if k in Mapping.model_fields and kind}


def _own(source: SourceSettings) -> dict[str, Any]:
    """The mapping in the source itself, its shorthands written out."""
    own = {k: v for k, v in source.model_dump(exclude_unset=True).items() if k in Mapping.model_fields}
    if source.rename:
        known = {name: {"quantity": quantity} for name, quantity in source.rename.items()}
        own["names"] = {**known, **own.get("names", {})}
    if "time_key" in source.model_fields_set:
        own["time"] = {**own.get("time", {}), "path": quoted(source.time_key)}
    return own


def quoted(name: str) -> str:
    """A member's name as a JMESPath."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Tables merged key by key, everything else replaced."""
    both = {
        k: _merged(under[k], v) if isinstance(v, dict) and isinstance(under.get(k), dict) else v
        for k, v in over.items()
    }
    return {**under, **both}


def _made(raw: dict[str, Any], where: str) -> Message:
    try:
        return Message.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
