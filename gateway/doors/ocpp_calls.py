"""The calls of an OCPP station and the answers of a central system that only monitors: 1.6 and 2.0.1. No network here.

`Station.answer` gives the payload of the CALLRESULT and the messages for the core, which must be on disk before it is
sent. Everything is accepted, nothing is controlled. Ids of users (idTag, idToken) are not passed on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, NamedTuple

from adapters.sqlite.transactions import Transaction, Transactions
from gateway.decoding.number import labelled, number
from gateway.formats.ocpp import REGISTER, sampled
from gateway.incoming import Incoming
from telemetry.errors import Rejected
from telemetry.stamps import read_stamp
from telemetry.units import between
from telemetry.windows import AHEAD, EARLIEST

Body = dict[str, Any]
_LONGEST_ID = 64  # characters; OCPP 2.0.1 allows 36


class Answer(NamedTuple):
    """The payload of a CALLRESULT, and the messages that must be stored before it is sent."""

    result: Body
    messages: list[Incoming]


class Station:
    """One connected station. `now`: RFC 3339 UTC, for its clock."""

    def __init__(self, name: str, version: str, opened: Transactions, now: Callable[[], str], heartbeat: int) -> None:
        self._name, self._two = name, version.startswith("ocpp2")
        self._open, self._now, self._heartbeat = opened, now, heartbeat
        self._calls: dict[str, Callable[[Body], Answer]] = {
            "BootNotification": self._boot,
            "Heartbeat": lambda _: Answer({"currentTime": self._now()}, []),
            "Authorize": self._authorize,
            "StatusNotification": self._status,
            "MeterValues": self._meter_values,
            "StartTransaction": self._start,
            "StopTransaction": self._stop,
            "TransactionEvent": self._event,
            "DataTransfer": lambda _: Answer({"status": "UnknownVendorId"}, []),
        }

    def answer(self, action: str, body: Body) -> Answer:
        """The answer to a call. Raises Rejected for an invalid body, Unavailable where the disk does not answer."""
        known = self._calls.get(action)
        return known(body) if known else Answer({}, [])

    def _message(self, action: str, body: Body) -> Incoming:
        return Incoming(f"station/{self._name}/{action}", json.dumps(body, separators=(",", ":")).encode())

    def _boot(self, _: Body) -> Answer:
        return Answer({"currentTime": self._now(), "interval": self._heartbeat, "status": "Accepted"}, [])

    def _authorize(self, _: Body) -> Answer:
        return Answer({"idTokenInfo" if self._two else "idTagInfo": {"status": "Accepted"}}, [])

    def _status(self, body: Body) -> Answer:
        status = body.get("connectorStatus", body.get("status"))
        report = {
            "connector": body.get("evseId", body.get("connectorId")),
            "time": body.get("timestamp"),
            "values": {"status": status},
        }
        return Answer({}, [self._message("status", report)])

    def _meter_values(self, body: Body) -> Answer:
        return Answer({}, [self._message("MeterValues", body)])

    # -- transactions --------------------------------------------------------------------------------------------------

    def _start(self, body: Body) -> Answer:
        """1.6: the central system gives the number. A repeated call gets the same one, also after a restart."""
        identity = _number(self._name, body)
        begin = self._time(body.get("timestamp"))
        start = Transaction(_whole(body.get("connectorId")), begin, _wh(body.get("meterStart")))
        whole = self._open.note(self._name, str(identity), start)
        result = {"transactionId": identity, "idTagInfo": {"status": "Accepted"}}
        return Answer(result, self._session(str(identity), whole))

    def _stop(self, body: Body) -> Answer:
        identity = _identity(body)
        values = _registers(body)
        known = self._open.get(self._name, identity)
        stop = Transaction(None, None, None, self._time(body.get("timestamp"), known.stop), _wh(body.get("meterStop")))
        if known.start is None and "Transaction.Begin" in values:  # started at another central system
            begin = values["Transaction.Begin"]
            stop = stop._replace(connector=known.connector or 1, start=self._time(begin[0]), start_wh=begin[1])
        whole = self._open.note(self._name, identity, stop)
        messages = self._session(identity, whole) or [
            self._message("session", {"session": identity, "session_energy": "its start is not known"})
        ]
        if body.get("transactionData"):
            connector = {"connectorId": whole.connector}
            messages.append(self._message("MeterValues", {**connector, "meterValue": body["transactionData"]}))
        return Answer({"idTagInfo": {"status": "Accepted"}}, messages)

    def _event(self, body: Body) -> Answer:
        """2.0.1: the station gives the id; events may come in any order: what it kept offline it sends later."""
        info = body.get("transactionInfo")
        identity = _identity(info) if isinstance(info, dict) else ""
        if not identity:
            raise Rejected("TransactionEvent without a transactionId")
        evse = body.get("evse")
        connector = _whole(evse.get("id")) if isinstance(evse, dict) else None
        kind, values = body.get("eventType"), _registers(body)
        before = self._open.get(self._name, identity) if kind == "Ended" else Transaction()
        time = self._time(body.get("timestamp"), before.stop)
        said = Transaction(connector)
        first = values.get("Transaction.Begin") or (next(iter(values.values()), None) if kind == "Started" else None)
        last = values.get("Transaction.End") or (list(values.values())[-1] if values and kind == "Ended" else None)
        if kind == "Started":
            said = said._replace(start=time)
        if first:
            said = said._replace(start=said.start or self._time(first[0]), start_wh=first[1])
        if kind == "Ended":
            said = said._replace(stop=time, stop_wh=last[1] if last else None)
        whole = self._open.note(self._name, identity, said)
        messages = self._session(identity, whole)
        if body.get("meterValue"):
            place = {"evseId": whole.connector}
            messages.append(self._message("MeterValues", {**place, "meterValue": body["meterValue"]}))
        return Answer({} if kind != "Started" else {"idTokenInfo": {"status": "Accepted"}}, messages)

    def _time(self, given: object, before: str | None = None) -> str | None:
        """A time as the station wrote it. One that cannot be right, because its clock is not set or is ahead, becomes
        that at which the gateway got it: `before` where the same was reported before.
        """
        text = given[:60] if isinstance(given, str) else None
        try:
            wrong = text is not None and not EARLIEST <= read_stamp(text) <= read_stamp(self._now()) + AHEAD
        except Rejected:
            return text  # without a zone, for example: what reads the session decides
        return (before or self._now()) if wrong else text

    def _session(self, identity: str, t: Transaction) -> list[Incoming]:
        """The session as a message, once its start and its end are known."""
        if t.start is None or t.stop is None or t.start_wh is None or t.stop_wh is None:
            return []
        body = {
            "connector": t.connector,
            "time": t.start,
            "end": t.stop,
            "session": f"{self._name}/{identity}",
            "session_energy": {"value": t.stop_wh - t.start_wh, "unit": "Wh"},
        }
        return [self._message("session", body)]


def _identity(body: Body) -> str:
    """The id of a transaction. Raises Rejected for one that OCPP does not allow."""
    identity = str(body.get("transactionId", ""))
    if len(identity) > _LONGEST_ID:
        raise Rejected(f"a transactionId of {len(identity)} characters")
    return identity


def _number(station: str, body: Body) -> int:
    """A number of 31 bits for a transaction, the same for the same start."""
    parts = [station, *(str(body.get(name)) for name in ("connectorId", "timestamp", "meterStart", "idTag"))]
    digest = blake2b("|".join(parts).encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1 or 1


def _registers(body: Body) -> dict[str, tuple[str, float]]:
    """Time and Wh of the energy register, by the context in which it was read, in order."""
    found: dict[str, tuple[str, float]] = {}
    entries = body.get("meterValue") or body.get("transactionData") or []
    for place, entry in enumerate(entries if isinstance(entries, list) else []):
        values = entry.get("sampledValue") if isinstance(entry, dict) else None
        for item in values if isinstance(values, list) else []:
            if isinstance(item, dict) and item.get("measurand", REGISTER) == REGISTER and item.get("phase") is None:
                wh = _register(item)
                if wh is not None:
                    found[str(item.get("context", place))] = str(entry.get("timestamp")), wh
    return found


def _register(item: Body) -> float | None:
    try:
        said = labelled(sampled([item])[REGISTER])
        value = None if said is None else number(said.value)
    except (Rejected, KeyError):
        return None
    how = between(said.unit or "Wh", "Wh") if said else None
    return None if value is None or how is None or said is None else how.apply(value * 10.0**said.tens)


def _wh(given: object) -> float | None:
    try:
        return number(given)
    except Rejected:
        return None


def _whole(given: object) -> int | None:
    return given if isinstance(given, int) and not isinstance(given, bool) else None
