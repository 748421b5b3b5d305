"""The files of the demo's folder: its city with targets, faults of its devices, and tokens of each role."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.items import AoT

from api.access import add_token
from api.roles import ROLES
from cityvitals.local.showcase import recorded
from cityvitals.local.showcase.figures import targets
from registry.config import load_settings
from registry.settings import SimulateSettings
from telemetry.periods import iso
from telemetry.windows import DAY, HOUR, MINUTE

_FAULTS = (
    ("air-07", "silent", 9 * HOUR),
    ("air-03", "high", 9 * DAY),
    ("charger-05", "broken", 5 * HOUR),
    ("meter-11", "garbled", 0),
)
_UNREGISTERED = ("air-70", "air-01", 3 * HOUR)


def write_city(path: Path) -> None:
    """The city file with its targets, where there is none yet."""
    if path.exists():
        return
    document = tomlkit.parse((files("cityvitals.local") / "demo_city.toml").read_text(encoding="utf-8"))
    listed = cast("AoT", document["target"])
    own = {(entry["code"], entry.get("part", "")) for entry in listed}
    for entry in targets():
        if (entry["code"], entry.get("part", "")) not in own:
            listed.append(tomlkit.item(entry))
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def write_files(folder: Path) -> None:
    """What lies under the map, a scenario to change, and sessions for plans, where they are not there yet."""
    for name in ("ground.json", "scenario.toml"):
        if not (folder / name).exists():
            shutil.copy(str(files("cityvitals.local.showcase") / name), folder / name)
    sessions = sessions_of(folder)
    if not sessions.exists():
        sessions.parent.mkdir(exist_ok=True)
        sessions.write_text(recorded.as_csv(), encoding="utf-8")


def sessions_of(folder: Path) -> Path:
    """The demo city's file of recorded sessions."""
    return folder / "sessions" / "demo.csv"


def simulated(config: Path, now: int) -> dict[str, Any]:
    """Entries of [simulate]: faults and unregistered devices of the last start, else new ones before `now`."""
    if config.exists():
        known = load_settings(config).simulate
        return json.loads(known.model_dump_json(include={"fault", "unregistered"}))  # type: ignore[no-any-return]
    faults = [
        {"device": device, "kind": kind, "since": iso((now - ago) // MINUTE * MINUTE)} for device, kind, ago in _FAULTS
    ]
    device, like, ago = _UNREGISTERED
    return {"fault": faults, "unregistered": [{"device": device, "like": like, "since": iso(now - ago)}]}


def simulate_settings(entries: dict[str, Any]) -> SimulateSettings:
    """The same as settings."""
    return SimulateSettings.model_validate(entries)


def new_tokens(path: Path) -> dict[str, str]:
    """A token for each role above viewer, in a new file; those of an earlier start are no longer valid."""
    path.unlink(missing_ok=True)
    return {role: add_token(path, f"demo-{role}", [role]) for role in ROLES[1:]}
