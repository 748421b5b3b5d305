"""`cityvitals plan scenario`: a scenario file and a store in, measured and planned values side by side out."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from adapters.store import Store
from cityvitals.plan.session_file import read_sessions
from planning.charging.sessions import Sessions
from planning.measured import parse_span
from planning.scenario import Measured, Outcome, Planned, Scenario, run
from reporting.show import stored_city
from reporting.tables import number, table, wrapped
from telemetry.errors import UsageError, form, nearest

_KEYS = ("name", "draws", "seed", "sessions")


def read_scenario(path: Path) -> tuple[Scenario, Sessions | None]:
    """A scenario file: `[scenario]` with name, draws, seed, sessions; `[[transform]]` entries. Raises UsageError.

    The path of the sessions is relative to the file.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}.") from None
    for key in raw:
        if key not in ("scenario", "transform"):
            raise UsageError(f"{path}: '{key}' is not part of a scenario; {nearest(key, ['scenario', 'transform'])}")
    head = raw.get("scenario", {})
    for key in head:
        if key not in _KEYS:
            raise UsageError(f"{path}: '{key}' is not an option of [scenario]; {nearest(key, _KEYS)}")
    return _scenario(path, head, raw.get("transform", []))


def _scenario(path: Path, head: dict[str, Any], transforms: list[dict[str, Any]]) -> tuple[Scenario, Sessions | None]:
    plain = {"name": path.stem, "transforms": transforms} | {k: v for k, v in head.items() if k != "sessions"}
    try:
        scenario = msgspec.convert(plain, Scenario)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {form(error)}.") from None
    if "sessions" not in head:
        return scenario, None
    return scenario, read_sessions(path.parent / str(head["sessions"]))[0]


def outcome(store: Store, city_id: str, file: Path, period: str, now: int, sessions: Path | None) -> Outcome:
    """Run a scenario file on a stored city. `sessions` goes before those the file names. Raises UsageError."""
    scenario, named = read_scenario(file)
    given = read_sessions(sessions)[0] if sessions else named
    city = stored_city(store, city_id)
    return run(scenario, Measured(city, store, parse_span(period, city), now, given))


def as_json(found: Outcome) -> str:
    """The outcome as JSON."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def as_text(found: Outcome, everything: bool, width: int) -> str:
    """The outcome as tables; only what changed unless `everything`."""
    interval = "" if found.interval_min is None else f", load over {found.interval_min:g} min"
    draws = "1 draw" if found.draws == 1 else f"{found.draws} draws"
    head = f"{found.scenario}: {found.city}, {found.period}, {draws}{interval}"
    values = [v for v in found.values if v.changed or (everything and v.baseline is not None)]
    changes = _table(values, width) if values else "No KPI changes; --all shows those that stay as they are.\n"
    parts = [wrapped(head, width), wrapped(found.label, width), "\n", changes]
    if found.feeders:
        parts += ["\n", _feeders(found, width)]
    parts += [wrapped(f"note: {note}", width) for note in found.notes]
    return "".join(parts)


def _table(values: list[Planned], width: int) -> str:
    head = ("KPI", "part", "name", "unit", "measured", "5 %", "50 %", "95 %")
    body = [[v.code, v.part, v.name, v.unit, *map(_number, (v.baseline, v.p5, v.p50, v.p95))] for v in values]
    return table(head, body, width)


def _number(value: float | None) -> str:
    return number(value) or "-"


def _feeders(found: Outcome, width: int) -> str:
    head = (
        "feeder", "kVA", "meters", "cars", "loading", "planned", "planned p95", "hours over", "planned over",
        "headroom kW", "planned kW p95",
    )  # fmt: skip
    body = [
        [
            f.id, f"{f.rating_kva:g}", str(f.meters), str(f.cars), f"{100 * f.highest:.0f} %",
            f"{100 * f.scenario_highest:.0f} %", f"{100 * f.scenario_highest_p95:.0f} %", f"{f.hours_over:g}",
            f"{f.scenario_hours_over:g}", f"{f.headroom_kw:+.1f}", f"{f.scenario_headroom_p95_kw:+.1f}",
        ]
        for f in found.feeders
    ]  # fmt: skip
    return table(head, body, width)
