"""From recorded rows to readings: the same conversion and quality control as live data, a column at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from adapters.files.table import Chunk, Coded, Column, Floats, InvalidRow
from gateway.batch import Batch, describe_flags
from gateway.decoding.decoded import RECORDED, Decoded, clock_problem
from gateway.decoding.sessions import add_session, session_key
from kpi_derivation.rules.outages import as_readings
from telemetry.errors import Rejected
from telemetry.readings import Readings
from telemetry.series import FloatArray, IntArray, SeriesTable
from telemetry.stamps import read_stamp
from telemetry.topics import valid_id
from telemetry.windows import MINUTE


class Converted(NamedTuple):
    """Readings of a chunk, and the invalid or flagged rows with the reason."""

    readings: Readings
    invalid: list[InvalidRow]


def convert(
    chunk: Chunk, city: str, batch: Batch, table: SeriesTable, now: int, sessions: Sessions | None = None
) -> Converted:
    """Readings of a chunk, with arrival = time, so that a replay does not look like an outage.

    `now`: ms UTC. `sessions`: those that the chunks of one replay share.
    """
    if chunk.is_sessions or chunk.is_outages:
        return _events(chunk, city, batch, now, sessions or Sessions())
    return _measurements(chunk, city, batch, table, now)


def _measurements(chunk: Chunk, city: str, batch: Batch, table: SeriesTable, now: int) -> Converted:
    if not len(chunk):
        return Converted(Readings.of([], [], []), chunk.invalid)
    times, devices, quantities, values, units = chunk.columns
    reasons: dict[int, str] = {}
    t = _times(times, now, reasons)
    value = _values(values, reasons)
    kinds = _kinds((Coded.of(devices), Coded.of(quantities), Coded.of(units)), city, batch, reasons)
    keep = np.ones(len(t), dtype=np.bool_)
    keep[list(reasons)] = False
    rows = np.flatnonzero(keep)
    readings = batch.convert(kinds[rows], value[rows], t[rows])
    for place in np.flatnonzero(readings.flag).tolist():
        reasons[int(rows[place])] = describe_flags(readings, [place], table)[0]
    return Converted(readings, chunk.invalid + _invalid_rows(chunk, reasons))


def _invalid_rows(chunk: Chunk, reasons: dict[int, str]) -> list[InvalidRow]:
    return [InvalidRow(chunk.lines[i], chunk.text(i), why) for i, why in sorted(reasons.items())]


def _times(column: Column, now: int, reasons: dict[int, str]) -> IntArray:
    """Ms UTC of each text; each different text is parsed once."""
    texts = Coded.of(column)
    parsed, wrong = np.zeros(len(texts.values), dtype=np.int64), dict[int, str]()
    for code, text in enumerate(texts.values):
        try:
            parsed[code] = t = read_stamp(text)
            problem = clock_problem(t, now, RECORDED)
        except Rejected as reason:
            problem = str(reason)
        if problem:
            wrong[code] = problem
    _note(texts.codes, wrong, reasons)
    return parsed[texts.codes]


def _note(codes: IntArray, wrong: dict[int, str], reasons: dict[int, str]) -> None:
    """The reason of each row whose code is wrong; of several the last that was found."""
    if wrong:
        rows = np.flatnonzero(np.isin(codes, list(wrong)))
        reasons.update(zip(rows.tolist(), (wrong[code] for code in codes[rows].tolist()), strict=True))


def _values(texts: Column, reasons: dict[int, str]) -> FloatArray:
    values = texts.numbers if isinstance(texts, Floats) else _as_numbers(texts)
    for i in np.flatnonzero(~np.isfinite(values)).tolist():
        comma = " (a decimal comma? separate the fields with ; or write a point)" if "," in texts[i] else ""
        reasons.setdefault(i, f"'{texts[i][:40]}' is not a finite number{comma}")
    return values


def _as_numbers(texts: Column) -> FloatArray:
    try:
        if "_" in "".join(texts):  # Python and NumPy read 1_000 as a number
            raise ValueError
        return np.array(list(texts), dtype=np.str_).astype(np.float64)
    except ValueError:
        return np.array([_number(text) for text in texts], dtype=np.float64)


def _number(text: str) -> float:
    try:
        return float("nan") if "_" in text else float(text)
    except ValueError:
        return float("nan")


def _kinds(columns: tuple[Coded, Coded, Coded], city: str, batch: Batch, reasons: dict[int, str]) -> IntArray:
    """The batch's number of each row's device, quantity and unit."""
    devices, quantities, units = columns
    wide, deep = len(quantities.values), len(units.values)
    together = (devices.codes * wide + quantities.codes) * deep + units.codes
    found, place = np.unique(together, return_inverse=True)
    known, wrong = np.zeros(len(found), dtype=np.int64), dict[int, str]()
    for n, code in enumerate(found.tolist()):
        device, rest = devices.values[code // (wide * deep)], code % (wide * deep)
        quantity, unit = quantities.values[rest // deep], units.values[rest % deep]
        kind = batch.kind(city, device, quantity, unit or None) if valid_id(device) else -1
        known[n] = max(kind, 0)
        problem = batch.problem(kind) if kind >= 0 else f"'{device[:40]}' is not a valid device id"
        if problem:
            wrong[n] = problem
    _note(place, wrong, reasons)
    return known[place]


class Sessions:
    """Which rows are one session: the same charger, start and user, however the row is written.

    Of one charger, start and user there can still be several: chargers write attempts of no length beside the session
    that follows, and whole lists without ends. So a session with an end, one that ends as it starts, and each energy
    without an end are different ones, whatever the order of the rows. A row with an end that follows one without is
    that session, its end now known: within one replay, because only there both rows are seen.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, str, str], str] = {}

    def kind(self, start: int, end: int | None, device: str, user: str, energy: float) -> str:
        """The part of the identity that differs between sessions of the same charger, start and user."""
        if end is None:
            kind = f"open:{energy}"
            self._open.setdefault((start, device, user), kind)
            return kind
        return "instant" if end == start else self._open.get((start, device, user), "closed")


def _events(chunk: Chunk, city: str, batch: Batch, now: int, sessions: Sessions) -> Converted:
    batch.clear()
    invalid = list(chunk.invalid)
    for line, row in zip(chunk.lines, chunk.rows(), strict=True):
        try:
            device, rows = read_session(row, now, sessions) if chunk.is_sessions else read_outage(row, now)
            problems = batch.add(city, device, rows, rows.t[0], line)
        except Rejected as reason:
            problems = [str(reason)]
        invalid += [InvalidRow(line, ",".join(row), problem) for problem in problems]
    readings, _ = batch.readings()
    # The arrival of each part of an event is its time.
    return Converted(
        Readings(readings.series, readings.t, readings.value, readings.key, readings.t, readings.flag), invalid
    )


def _check_event(start: int, device: str, now: int) -> None:
    """Raise Rejected for an event whose start or device cannot be."""
    problem = clock_problem(start, now, RECORDED)
    if problem or not valid_id(device):
        raise Rejected(problem or f"'{device[:40]}' is not a valid device id")


def read_session(row: Sequence[str], now: int, sessions: Sessions) -> tuple[str, Decoded]:
    """Device and readings of one session row.

    Its identity is charger, start, user and `Sessions.kind`: the same row with another end or energy, or written
    otherwise, replaces it.
    """
    start_text, end_text, device, energy_text, user_text = row
    start, energy, user = read_stamp(start_text), _number(energy_text), user_text.strip().lower()
    end = read_stamp(end_text) if end_text else None
    problem = clock_problem(start, now, RECORDED) or (
        None if valid_id(device) else f"'{device[:40]}' is not a valid device id"
    )
    if problem:
        raise Rejected(problem)
    rows = Decoded()
    kind = sessions.kind(start, end, device, user, energy)
    add_session(rows, start, end, energy, "kWh", session_key("session", start, user, kind))
    return device, rows


def read_outage(row: Sequence[str], now: int) -> tuple[str, Decoded]:
    """Device and readings of one interruption of an outage log.

    Its identity is device, start and id: the same row with another end or number of customers replaces it.
    """
    start_text, end_text, device, customers_text, name = row
    start, customers = read_stamp(start_text), _number(customers_text)
    problem = clock_problem(start, now, RECORDED) or (
        None if valid_id(device) else f"'{device[:40]}' is not a valid device id"
    )
    if problem:
        raise Rejected(problem)
    if not end_text:
        raise Rejected("an interruption without an end has no length; add the row when the supply is restored")
    minutes = (read_stamp(end_text) - start) / MINUTE
    if minutes < 0:
        raise Rejected("an interruption that ends before it starts")
    if not 0 < customers < math.inf:
        raise Rejected(f"'{customers_text[:40]}' is not a positive number of customers")
    rows = Decoded()
    for quantity, value in as_readings(minutes, customers):
        rows.add(quantity, None, value, start, session_key("outage", name))
    return device, rows
