"""What somebody should look at, worst first, with reason codes that the page puts into words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.device_reads import Sender
from api.devices import DeviceState
from api.now.charging import use_of
from telemetry.periods import iso

MOST = 50


def attention(
    devices: Sequence[DeviceState], suspects: Mapping[str, int], unregistered: Mapping[str, Sender]
) -> list[dict[str, Any]]:
    """One row a finding: `kind`, `severity` (bad, watch), device, site, since.

    `suspects`: device -> suspect days of the last 30.
    """
    found = [*_devices(devices), *_suspects(devices, suspects), *_senders(unregistered)]
    order = {"bad": 0, "watch": 1}
    return sorted(found, key=lambda row: order[row["severity"]])[:MOST]


def _devices(devices: Sequence[DeviceState]) -> Iterator[dict[str, Any]]:
    for d in devices:
        since = None if d.heard is None else iso(d.heard)
        if d.state != "ok":
            kind = "silent" if d.state == "silent" else "unheard"
            yield _row(kind, "bad" if kind == "silent" else "watch", d, since)
        elif use_of(d) == "fault":
            yield _row("fault", "bad", d, since)


def _suspects(devices: Sequence[DeviceState], suspects: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for d in devices:
        if suspects.get(d.id):
            yield {**_row("suspect", "watch", d, None), "days": suspects[d.id]}


def _senders(unregistered: Mapping[str, Sender]) -> Iterator[dict[str, Any]]:
    for name, sender in unregistered.items():
        yield {
            "kind": "unregistered", "severity": "watch", "device": name, "site": "", "since": iso(sender.heard),
            "nearest": sender.nearest,
        }  # fmt: skip


def _row(kind: str, severity: str, d: DeviceState, since: str | None) -> dict[str, Any]:
    return {"kind": kind, "severity": severity, "device": d.id, "site": d.site, "since": since, "of": d.kind}
