"""A device added to the text of a city file, or quantities to one that is there; comments and layout stay. Pure."""

from __future__ import annotations

from typing import cast

import tomlkit
from tomlkit.items import AoT, Array, Table

from registry.city import City, DeviceKind
from registry.place import Place
from telemetry.errors import UsageError, nearest

# What another device of the same make is likely to share.
_SHARED = ("kind", "quantities", "interval_s", "role", "connectors", "smart", "rollover", "plausible", "max_kw")


def with_device(
    text: str,
    city: City,
    device: str,
    *,
    like: str = "",
    kind: DeviceKind | None = None,
    quantities: tuple[str, ...] = (),
    place: Place | None = None,
) -> str:
    """The text with a [[device]] entry for `device`, or with `quantities` added to the entry it has.

    `like`: a registered device whose kind, quantities and interval the new one shares. Raises UsageError.
    """
    known = {d.id: d for d in city.device}
    document = tomlkit.parse(text)
    if device in known:
        if like or kind:
            raise UsageError(f"{device} is registered in {city.id}; give only --quantity to add to it.")
        return _with_quantities(document, device, quantities)
    if like and like not in known:
        raise UsageError(f"{city.id} has no device '{like}'; {nearest(like, known)}")
    if not like and not (kind and quantities):
        raise UsageError("Give --like ID of a registered device, or --kind and --quantity.")
    entry = tomlkit.table()
    entry["id"] = device
    for name, value in (place or Place())._asdict().items():
        if value not in ("", None):
            entry[name] = value
    shared = known[like].plain() if like else {}
    for name in _SHARED:
        if name in shared:
            entry[name] = shared[name]
    if kind:
        entry["kind"] = kind
    if quantities:
        entry["quantities"] = list(quantities)
    _entries(document).append(entry)
    return tomlkit.dumps(document)


def _with_quantities(document: tomlkit.TOMLDocument, device: str, quantities: tuple[str, ...]) -> str:
    """The text with these quantities in the device's entry, where they are not yet."""
    if not quantities:
        raise UsageError(f"{device} is registered already; give --quantity to add one to its entry.")
    entry = next(e for e in _entries(document) if e["id"] == device)
    listed = cast("Array", entry["quantities"])
    for name in quantities:
        if name not in listed:
            listed.append(name)
    return tomlkit.dumps(document)


def _entries(document: tomlkit.TOMLDocument) -> AoT:
    """The [[device]] entries, of a file without any a new list of them."""
    if "device" not in document:
        document["device"] = tomlkit.aot()
    found = document["device"]
    if not isinstance(found, AoT) or not all(isinstance(entry, Table) for entry in found):
        raise UsageError("The city file lists its devices in one line; write them as [[device]] entries.")
    return found
