"""No payload of any device family, no bytes of a wire and no recorded file stops the program: used, or a reason.

The seeds are the payloads of the case folders.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.sqlite.buffer import Buffer
from cityvitals.replay.columns import Sessions, convert
from gateway import formats, recorded
from gateway.batch import Batch
from gateway.core import Core, Incoming
from gateway.devices import FOLDER, families
from gateway.doors.ocpp_calls import Station
from gateway.formats import framer
from gateway.recorded import How
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.errors import Rejected, UsageError
from telemetry.periods import iso
from telemetry.series import SeriesTable
from telemetry.windows import MINUTE
from tests.fuzz.mutate import payloads

TOTAL = 1_000_000 if os.environ.get("CITYVITALS_LONG") else 40_000
NOW = 1_795_168_805_000
BATCH = 200
pytestmark = pytest.mark.timeout(7200 if TOTAL > 50_000 else 300)


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((FOLDER / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"]
    return found


def seed(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["payload_hex"]) if "payload_hex" in case else case["payload"].encode()


@pytest.mark.parametrize("name", families())
def test_a_family_is_stored_or_rejected_with_a_reason_whatever_comes(name: str, tmp_path: Path) -> None:
    found, rng = cases(name), Random(name)
    share = max(TOTAL // len(families()) // len(found) // BATCH, 1)
    for number, case in enumerate(found):
        settings = SourceSettings.model_validate({"family": name, "city": "town", **case.get("source", {})})
        core = Core(
            Buffer(tmp_path / f"{number}.db", MINUTE),
            made_sources([settings], zone_of=lambda _: ZoneInfo("Europe/Berlin")),
        )
        core.buffer.rejects._max_bytes = 1 << 20
        for step in range(share):
            batch = [Incoming(case["topic"], p, retain=rng.random() < 0.1) for p in payloads([seed(case)], rng, BATCH)]
            assert core.accept(batch, NOW + step * MINUTE).received == BATCH
        for kept in core.buffer.rejects.newest(50):
            assert kept.reason
            assert " a second are decoded" not in kept.reason  # a sender's budget, which would end the test early


FRAMED = [name for name in formats.names() if hasattr(formats._module(name), "framer")]


@pytest.mark.parametrize("name", FRAMED)
def test_bytes_of_a_wire_give_frames_and_a_rest_that_is_bounded(name: str) -> None:
    rng = Random(name)
    seeds = [seed(c) for family in families() for c in cases(family) if c.get("door") == "serial"]
    cut, read = framer(name), formats.reader(name, {})
    for data in payloads(seeds, rng, TOTAL // 20):
        for frame in cut.feed(data):
            try:
                read(frame, {})
            except Rejected as reason:
                assert str(reason)  # noqa: PT017 - either way is right
        assert len(getattr(cut, "_held")) <= 32768 + len(data)  # noqa: B009 - of every framer


class NoTransactions:
    """A station's transactions in memory."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Any] = {}

    def get(self, station: str, identity: str) -> Any:
        from adapters.sqlite.transactions import Transaction

        return self.found.get((station, identity), Transaction(None))

    def note(self, station: str, identity: str, said: Any) -> Any:
        before = self.get(station, identity)
        merged = type(said)(*(b if a is None else a for a, b in zip(said, before, strict=True)))
        self.found[station, identity] = merged
        return merged


BODIES: list[tuple[str, dict[str, Any]]] = [
    ("BootNotification", {"chargePointVendor": "x", "chargePointModel": "y"}),
    ("StatusNotification", {"connectorId": 1, "status": "Charging", "timestamp": "2025-11-20T10:00:00Z"}),
    ("StartTransaction", {"connectorId": 1, "idTag": "c", "meterStart": 1, "timestamp": "2025-11-20T10:00:00Z"}),
    ("StopTransaction", {"transactionId": 1, "meterStop": 5, "timestamp": "2025-11-20T11:00:00Z"}),
    (
        "TransactionEvent",
        {
            "eventType": "Started", "timestamp": "2025-11-20T10:00:00Z", "transactionInfo": {"transactionId": "x"},
            "evse": {"id": 1},
            "meterValue": [{"timestamp": "2025-11-20T10:00:00Z", "sampledValue": [{"value": 5}]}],
        },
    ),
    ("MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": "2025-11-20T10:00:00Z", "sampledValue": [{}]}]}),
]  # fmt: skip
ODD: list[Any] = [None, True, -1, 2**70, 1e308, "", "x" * 500, [], {}, [None], {"a": 1}, float("nan")]


def spoilt(item: Any, rng: Random) -> Any:
    """A body with some of its members replaced, wherever they are."""
    if rng.random() < 0.15:
        return rng.choice(ODD)
    if isinstance(item, dict):
        return {k: spoilt(v, rng) for k, v in item.items() if rng.random() > 0.05}
    return [spoilt(v, rng) for v in item] if isinstance(item, list) else item


def test_calls_of_a_charging_station_are_answered_or_rejected(tmp_path: Path) -> None:
    rng = Random("ocpp")
    settings = SourceSettings.model_validate({"family": "ocpp", "city": "town"})
    core = Core(Buffer(tmp_path / "g.db", MINUTE), made_sources([settings]))
    core.buffer.rejects._max_bytes = 1 << 20
    answered = 0
    for version in ("ocpp1.6", "ocpp2.0.1"):
        station = Station("cp1", version, NoTransactions(), lambda: iso(NOW), 300)  # type: ignore[arg-type]
        for _ in range(TOTAL // 40):
            action, body = rng.choice(BODIES)
            made = spoilt(body, rng)
            try:
                answer = station.answer(action, made if isinstance(made, dict) else {})
            except Rejected as reason:
                assert str(reason)  # noqa: PT017 - either way is right
                continue
            answered += 1
            if answer.messages:
                core.accept(answer.messages, NOW)
    assert answered > TOTAL // 40


@pytest.mark.parametrize("name", recorded.families())
def test_a_recorded_file_is_read_or_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    path, rng = tmp_path / "f.dat", Random(name)
    text = (recorded.FOLDER.parent / "cases" / f"{name}.toml").read_text(encoding="utf-8")
    files = [c["file"].removeprefix("\n").encode() for c in tomllib.loads(text)["case"] if "file" in c]
    how = How(
        name,
        device="d1",
        zone=ZoneInfo("Europe/Berlin"),
        quantity="power" if name == "emoncms" else "",
        unit="W" if name == "emoncms" else "",
    )
    used = 0
    for data in [*files, *payloads(files, rng, max(TOTAL // 2000, 20))]:
        path.write_bytes(data)
        table, sessions = SeriesTable(), Sessions()
        batch = Batch(table)
        try:
            for chunk in recorded.read(path, how):
                used += len(convert(chunk, "town", batch, table, NOW, sessions).readings)
        except UsageError as sentence:
            assert str(sentence)  # noqa: PT017 - either way is right
    assert used > 0
