"""`cityvitals device add`: write a device into a city file, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast, get_args

from cityvitals.processes import RESTARTS
from registry.additions import with_device
from registry.city import DeviceKind
from registry.config import load_city
from registry.place import Place
from reporting.city_file import read_city
from telemetry.errors import UsageError, nearest
from telemetry.quantities import QUANTITIES

_RESTART = "Restart gateway and ingest where they run; what is stored of it already enters the KPIs then."
_BY_ITSELF = "Gateway and ingest start again with it in some seconds; what is stored of it enters the KPIs then."


def register(
    path: Path, device: str, like: str, kind: str, quantities: tuple[str, ...], place: Place | None = None
) -> str:
    """Add the entry; check the file before it replaces the old one. Returns a sentence to print. Raises UsageError."""
    if kind and kind not in get_args(DeviceKind):
        raise UsageError(f"'{kind}' is not a kind of device; {nearest(kind, get_args(DeviceKind))}")
    for name in quantities:
        if name not in QUANTITIES:
            raise UsageError(f"unknown quantity '{name}'; {nearest(name, QUANTITIES)}")
    old = read_city(path)
    text = path.read_text(encoding="utf-8")
    chosen = cast("DeviceKind", kind) if kind else None
    made = with_device(text, old, device, like=like, kind=chosen, quantities=quantities, place=place)
    if made == text:
        return f"{path} lists this already.\n"
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(made, encoding="utf-8")
    try:
        entry = next(d for d in load_city(temporary).device if d.id == device)
    except UsageError as error:
        temporary.unlink()
        raise UsageError(str(error).replace(str(temporary), str(path))) from None
    os.chmod(temporary, path.stat().st_mode & 0o777)  # noqa: PTH101 - as the old file
    temporary.replace(path)
    then = _BY_ITSELF if RESTARTS in os.environ else _RESTART
    return f"{path}: {device}, {entry.kind}, {', '.join(entry.quantities)}.\n{then}\n"
