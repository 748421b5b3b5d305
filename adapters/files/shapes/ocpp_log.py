"""Logs of OCPP messages: on each line one JSON array, bare or after other text, or in an object with its station.

Two tables: sessions from StartTransaction, its answer and StopTransaction (1.6) or from TransactionEvent (2.0.1),
with the columns `station, connector, start, end, energy_wh, user`; and meter values with the columns `station,
connector, time, measurand, value, unit`. Values of single phases are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.files import text
from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.table import Chunk, InvalidRow

SESSIONS = ["station", "connector", "start", "end", "energy_wh", "user"]
VALUES = ["station", "connector", "time", "measurand", "value", "unit"]
REGISTER = "Energy.Active.Import.Register"
_STATIONS = ("chargePointId", "chargePoint", "chargeBoxId", "chargingStationId", "stationId", "station", "cpId")
_MESSAGES = ("message", "payload", "msg", "data")
_WH = {"Wh": 1.0, "kWh": 1000.0, None: 1.0}


@dataclass(slots=True)
class _Open:
    """A transaction of which the end was not met yet."""

    connector: str = ""
    start: str = ""
    end: str = ""
    first: float | None = None
    last: float | None = None
    user: str = ""


@dataclass(slots=True)
class _Log:
    """What was read of a log."""

    calls: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    open: dict[tuple[str, str], _Open] = field(default_factory=dict)
    sessions: list[tuple[int, list[str]]] = field(default_factory=list)
    values: list[tuple[int, list[str]]] = field(default_factory=list)
    invalid: list[InvalidRow] = field(default_factory=list)


def headers(path: Path, options: dict[str, Any]) -> Iterable[Header]:  # noqa: ARG001 - every shape is called so
    """Both tables, where one of the first lines is a message."""
    lines = text.start(path).decode("utf-8", "replace").splitlines()[:20]
    if any(_message(line) for line in lines):
        yield from (Header(SESSIONS, "", 0), Header(VALUES, "", 0))


def read(path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]) -> Iterator[Chunk]:  # noqa: ARG001
    """One of the tables, in the order of the log."""
    log = _Log()
    with text.opened(path) as file:
        for number, line in enumerate(file.text, 1):
            found = _message(line)
            if found is not None:
                try:
                    _take(log, number, *found)
                except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                    log.invalid.append(InvalidRow(number, line[:200], f"an OCPP message that cannot be read: {error}"))
    rows = log.sessions if header.names == SESSIONS else log.values
    columns = [list(c) for c in zip(*(row for _, row in rows), strict=True)] or [[] for _ in header.names]
    yield Chunk(path, header.names, [n for n, _ in rows], columns, log.invalid if header.names == SESSIONS else [])


def _message(line: str) -> tuple[str, list[Any]] | None:
    """Station (empty where it is not said) and message of a line."""
    text_, station = line.strip(), ""
    if text_[:1] == "{":
        try:
            around = json.loads(text_)
        except (ValueError, RecursionError):
            return None
        station = next((str(around[name]) for name in _STATIONS if name in around), "")
        inner: Any = next((around[name] for name in _MESSAGES if name in around), None)
        text_ = inner if isinstance(inner, str) else json.dumps(inner)
    place = text_.find("[")
    while place >= 0:
        if text_[place + 1 : place + 20].lstrip()[:1] in ("2", "3"):
            try:
                found = json.JSONDecoder().raw_decode(text_, place)[0]
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, list) and len(found) in (3, 4) and found[0] in (2, 3):
                return station, found
        place = text_.find("[", place + 1)
    return None


def _take(log: _Log, line: int, station: str, message: list[Any]) -> None:
    if message[0] == 3:
        start = log.calls.pop((station, str(message[1])), None)
        if start is not None:
            log.open[station, str(message[2]["transactionId"])] = _Open(
                connector=str(start.get("connectorId", "")),
                start=start["timestamp"],
                first=float(start["meterStart"]),
                user=str(start.get("idTag", "")),
            )
        return
    action, body = message[2], message[3]
    if action == "StartTransaction":
        log.calls[station, str(message[1])] = body
    elif action == "StopTransaction":
        known = log.open.pop((station, str(body["transactionId"])), None)
        if known is None or known.first is None:
            raise ValueError(f"the start of transaction {body['transactionId']} is not in the log")
        known.end, known.last = body["timestamp"], float(body["meterStop"])
        _session(log, line, station, known)
        _meter_values(log, line, station, known.connector, body.get("transactionData"))
    elif action == "MeterValues":
        connector = str(body.get("connectorId", body.get("evseId", "")))
        _meter_values(log, line, station, connector, body.get("meterValue"))
    elif action == "TransactionEvent":
        _event(log, line, station, body)


def _event(log: _Log, line: int, station: str, body: dict[str, Any]) -> None:
    identity = station, str(body["transactionInfo"]["transactionId"])
    known = log.open.setdefault(identity, _Open())
    known.connector = str(body.get("evse", {}).get("id", known.connector))
    known.user = str(body.get("idToken", {}).get("idToken", known.user))
    registers = _meter_values(log, line, station, known.connector, body.get("meterValue"))
    if registers:
        known.first = registers[0] if known.first is None else known.first
        known.last = registers[-1]
    if body.get("eventType") == "Started":
        known.start = body["timestamp"]
    elif body.get("eventType") == "Ended":
        known.end = body["timestamp"]
        _session(log, line, station, log.open.pop(identity))


def _session(log: _Log, line: int, station: str, t: _Open) -> None:
    if not t.start or t.first is None or t.last is None:
        raise ValueError("a transaction without its start or its registers")
    log.sessions.append((line, [station, t.connector, t.start, t.end, f"{t.last - t.first:.12g}", t.user]))


def _meter_values(log: _Log, line: int, station: str, connector: str, entries: Any) -> list[float]:  # noqa: ANN401
    """Add the values of the whole connector; the energy registers among them in Wh."""
    registers: list[float] = []
    for entry in entries or ():
        for item in entry["sampledValue"]:
            if item.get("phase") is not None or item.get("location") in ("EV", "Inlet"):
                continue
            said = item.get("unitOfMeasure", {})
            unit = item.get("unit", said.get("unit"))
            tens = int(said.get("multiplier", 0))
            number = f"{float(item['value']) * 10.0**tens:.12g}"
            measurand = item.get("measurand", REGISTER)
            log.values.append((line, [station, connector, entry["timestamp"], measurand, number, unit or ""]))
            if measurand == REGISTER and unit in _WH:
                registers.append(float(number) * _WH[unit])
    return registers
