"""`cityvitals calibrate`: fit a device to a co-located reference and write the calibration entry of the city file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Comment, Table, Whitespace

from adapters.store import Store
from kpi_derivation.rules.air.calibration import Fit
from kpi_derivation.rules.air.colocation import Pairs, entry_of, fitted, needed, pairs, raw_rmse
from registry.city import Calibration, City, Device
from registry.config import load_city
from telemetry.errors import UsageError, nearest
from telemetry.partials import Partials
from telemetry.periods import Period, iso, local_date, parse_period
from telemetry.quantities import QUANTITIES
from telemetry.series import SeriesTable

WEAK = 0.5  # R2 below which a fit explains less than half of the reference's variation


class Colocation(NamedTuple):
    """A fit, its data, and the calibration entry made from it."""

    device: Device
    reference: Device
    quantity: str
    period: Period
    pairs: Pairs
    fit: Fit
    entry: Calibration


def colocate(
    store: Store, city: City, device: str, against: str, quantity: str, period: str, valid_from: str, humidity: bool
) -> Colocation:
    """Fit a device to a reference over a period. `valid_from`: empty for the period's first day.

    Raises UsageError for devices or quantities that are not in the city file, and where the readings do not allow a
    fit.
    """
    device_entry, reference_entry = (_measuring(city, name, quantity) for name in (device, against))
    if device_entry.id == reference_entry.id:
        raise UsageError(f"'{device}' cannot be its own reference; name the co-located device with --against.")
    span = over(city, period)
    table = SeriesTable()
    wanted = needed(city, table, device, against, quantity)
    hours = Partials.concat(list(store.partials(city.id, "hour", span.start, span.end, table, wanted)))
    hour_pairs = pairs(city, table, hours, device, against, quantity)
    from_day = valid_from or local_date(span.start, city.zone).isoformat()
    try:
        line = fitted(hour_pairs, humidity)
        note = f"beside {against} {span.label}: n {line.n}, R2 {line.r2:.3f}, RMSE {line.rmse:.3g}"
        entry = entry_of(device_entry, quantity, line, from_day, note)
    except ValueError as error:  # includes pydantic's errors
        text = error.errors()[0]["msg"].removeprefix("Value error, ") if hasattr(error, "errors") else error
        raise UsageError(f"No calibration of {device} by {against} in {period}: {text}.") from None
    return Colocation(device_entry, reference_entry, quantity, span, hour_pairs, line, entry)


def _measuring(city: City, name: str, quantity: str) -> Device:
    device = next((d for d in city.device if d.id == name), None)
    if device is None:
        raise UsageError(f"There is no device '{name}' in {city.id}; {nearest(name, [d.id for d in city.device])}")
    if quantity not in device.quantities:
        raise UsageError(f"{name} does not measure '{quantity}'; {nearest(quantity, device.quantities)}")
    return device


def over(city: City, text: str) -> Period:
    """A calendar period, or `first..last` of two, in the city's time. Raises UsageError."""
    first, _, last = text.partition("..")
    first_period, last_period = parse_period(first, city.zone), parse_period(last or first, city.zone)
    if last_period.end <= first_period.start:
        raise UsageError(f"'{text}' ends before it starts; write the earlier period first.")
    return Period(first_period.kind, text, first_period.start, last_period.end)


def as_text(c: Colocation) -> str:
    """The fit and its entry as text."""
    unit, f = QUANTITIES[c.quantity].unit, c.fit
    lines = [
        f"{c.device.id} against {c.reference.id}, {c.quantity}, {iso(c.period.start)} to {iso(c.period.end)}",
        f"  n         {f.n:>12,} hours in which all were valid",
        f"  gain      {f.gain:>12.6g} (slope)",
        f"  offset    {f.offset:>12.6g} {unit}",
        f"  humidity  {f.humidity:>12.6g} {unit} per %RH" if f.humidity else "  humidity             - (no such term)",
        f"  R2        {f.r2:>12.4f}",
        f"  RMSE      {f.rmse:>12.4g} {unit}; {raw_rmse(c.pairs):.4g} without calibration",
        f"  readings  {c.pairs.raw.min():>12.4g} to {c.pairs.raw.max():.4g} {unit}; beyond: extrapolation",
    ]
    if not f.r2 >= WEAK:
        lines.append(
            f"Weak: the line explains {100 * f.r2:.0f} % of the reference's variation. Check the siting first."
        )
    return "\n".join([*lines, "", entry_text(c.entry)])


def _plain(entry: Calibration) -> dict[str, Any]:
    """The keys of an entry that differ from the defaults, and its version."""
    given = {"version", *entry.model_dump(exclude_defaults=True)}
    return {name: value for name, value in entry.model_dump().items() if name in given}


def entry_text(entry: Calibration) -> str:
    """The entry as it stands in a city file."""
    return "[[device.calibration]]\n" + tomlkit.dumps(_plain(entry))


def with_entry(text: str, device: str, entry: Calibration) -> str:
    """The text of a city file with the entry after the device's own. Everything else stays as it was written.

    Raises UsageError where the entry cannot be added without changing another value.
    """
    document = tomlkit.parse(text)
    number = [d["id"] for d in document.unwrap()["device"]].index(device)
    try:
        _add(document["device"][number], _plain(entry))
        made = tomlkit.dumps(document)
    except (TOMLKitError, AttributeError):
        made = ""
    if _read(made) != _expected(text, number, entry):
        raise UsageError(
            f"The entry cannot be added without changing other values; add it to {device} by hand:\n\n"
            f"{entry_text(entry)}"
        )
    return made


def _add(device: Any, plain: dict[str, Any]) -> None:  # noqa: ANN401 - a TOML table with its comments
    """Append an entry to a device: a table of its own, or an element of an inline array."""
    entries = device.get("calibration")
    if isinstance(entries, Array):
        entries.append(tomlkit.item(plain, _parent=entries))
        return
    table = tomlkit.table()
    table.update(plain)
    table.value.body.extend(_cut_end(device.value.body))
    table.trivia.indent = "\n"
    if entries is None:
        device["calibration"] = tomlkit.aot()
    device["calibration"].append(table)


def _cut_end(body: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Remove and return the blank lines and comments at the end of a table: they belong to the table that follows."""
    if body and isinstance(body[-1][1], AoT):
        return _cut_end(body[-1][1][-1].value.body)
    if body and isinstance(body[-1][1], Table):
        return _cut_end(body[-1][1].value.body)
    place = len(body)
    while place and isinstance(body[place - 1][1], Comment | Whitespace):
        place -= 1
    end = body[place:]
    del body[place:]
    return end


def _read(text: str) -> object:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _expected(text: str, number: int, entry: Calibration) -> object:
    """What the file must contain afterwards."""
    plain = tomllib.loads(text)
    mine = plain["device"][number]
    mine["calibration"] = [*mine.get("calibration", []), tomllib.loads(entry_text(entry))["device"]["calibration"][0]]
    return plain


def write(path: Path, c: Colocation) -> None:
    """Add the entry to the city file; the old file is replaced when the new one is complete and valid."""
    text = with_entry(path.read_text(encoding="utf-8"), c.device.id, c.entry)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    load_city(temporary)
    temporary.replace(path)


def as_json(c: Colocation) -> str:
    """The fit and its entry as JSON."""
    fields = {
        "device": c.device.id, "reference": c.reference.id, "quantity": c.quantity, "start": iso(c.period.start),
        "end": iso(c.period.end), **c.fit._asdict(), "raw_rmse": raw_rmse(c.pairs), "entry": c.entry.model_dump(),
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode() + "\n"
