"""CPU time of a message with five values: device templates beside SenML, decoding alone and as far as the commit."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.routes import Routes, Source
from gateway.sources import made_sources
from registry.settings import SourceSettings

ARRIVAL = 1_763_640_000_000


class Sample(NamedTuple):
    """A message of a family with five values."""

    what: str
    source: dict[str, Any]
    topic: str
    payload: bytes


SAMPLES = (
    Sample(
        "senml",
        {"topic": "s/{device}", "format": "senml"},
        "s/m1",
        b'[{"bt":1763636400,"n":"energy_total","u":"kWh","v":312.604},{"n":"power","u":"W","v":148},'
        b'{"n":"voltage","u":"V","v":231},{"n":"current","u":"A","v":0.66},{"n":"power_factor","u":"/","v":0.97}]',
    ),
    Sample(
        "flat_json",
        {"family": "flat_json"},
        "flat/m1",
        b'{"time":1763636400,"energy_total":312.604,"power":148,"voltage":231,"current":0.66,"power_factor":0.97}',
    ),
    Sample(
        "tasmota",
        {"family": "tasmota"},
        "tele/m1/SENSOR",
        b'{"Time":"2025-11-20T11:00:00","ENERGY":{"TotalStartTime":"2025-01-01T00:00:00","Total":312.604,"Yesterday":1.91,'
        b'"Today":0.733,"Power":148,"ApparentPower":150,"Factor":0.97,"Voltage":231,"Current":0.66}}',
    ),
    Sample(
        "shelly_gen2",
        {"family": "shelly_gen2"},
        "m1/status/switch:0",
        b'{"id":0,"source":"timer","output":true,"apower":41.2,"voltage":229.8,"current":0.19,"freq":50.0,'
        b'"aenergy":{"total":5123.4,"by_minute":[0.1,0.2,0.1],"minute_ts":1763636400},"temperature":{"tC":38.5}}',
    ),
    Sample(
        "zigbee2mqtt",
        {"family": "zigbee2mqtt"},
        "zigbee2mqtt/m1",
        b'{"energy":312.6,"power":148,"voltage":231,"current":0.66,"temperature":21.5,"linkquality":120}',
    ),
    Sample(
        "airgradient",
        {"family": "airgradient"},
        "airgradient/readings/m1",
        b'{"wifi":-46,"serialno":"m1","rco2":447,"pm02":7,"pm10":8,"atmp":25.87,"rhum":43,"boot":6,"firmware":"3.1.3"}',
    ),
)


def payloads(sample: Sample, count: int) -> list[bytes]:
    """The message at as many times, one a second, with other values."""
    return [
        sample.payload.replace(b"1763636400", b"%d" % (1_763_636_400 + n))
        .replace(b"T11:00:00", b"T11:%02d:%02d" % divmod(n, 60))
        .replace(b"312.6", b"%d.6" % (312 + n))
        .replace(b":447,", b":%d," % (400 + n % 60))
        for n in range(count)
    ]


def decoded(sample: Sample, repeat: int) -> tuple[float, int]:
    """Microseconds of CPU to decode a message, by the way that the gateway takes, and how many values it holds."""
    route, sent = Routes(_sources(sample)).find(sample.topic), payloads(sample, 2000)
    options, best = route.options, float("inf")
    plain = route.plain.of(sent[0]) if route.plain and route.plain.of else route.plain
    for _ in range(repeat // 400):
        began = time.process_time_ns()
        for payload in sent:
            if plain is None or plain.read(payload, ARRIVAL) is None:
                route.decode(payload, ARRIVAL, options)
        best = min(best, (time.process_time_ns() - began) / 1000 / len(sent))
    found = route.decode(sent[0], ARRIVAL, options)
    return best, sum(len(part.rows) for part in (found, *found.more))


def stored(sample: Sample) -> float:
    """Microseconds of CPU from a received message to its commit in the buffer, 400 at once."""
    best = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        core = Core(Buffer(Path(folder) / "gateway.db", 60_000), _sources(sample))
        messages = [Incoming(sample.topic, payload) for payload in payloads(sample, 3600)]
        for n in range(9):
            began = time.process_time_ns()
            # The arrivals are hours apart, so that the sender is within its budget.
            counts = core.accept(messages[400 * n : 400 * (n + 1)], ARRIVAL + 3_600_000 * n)
            best = min(best, (time.process_time_ns() - began) / 1000 / 400)
            assert counts.stored >= 2000, counts
    return best


def _sources(sample: Sample) -> list[Source]:
    settings = SourceSettings.model_validate({"city": "town", **sample.source})
    return made_sources([settings], zone_of=lambda _: ZoneInfo("Europe/Berlin"))


def run(quick: bool) -> list[dict[str, Any]]:
    """A row for each sample; `beside senml`: its CPU time as a multiple of SenML's."""
    repeat = 2000 if quick else 10_000
    found = [(s.what, *decoded(s, repeat), stored(s)) for s in SAMPLES]
    _, us_senml, _, whole_senml = found[0]
    return [
        {"what": what, "values": rows, "us to decode": round(us, 2), "messages/s": round(1e6 / us),
         "beside senml": round(us / us_senml, 2), "us to the commit": round(whole, 2),
         "to the commit beside senml": round(whole / whole_senml, 2)}
        for what, us, rows, whole in found
    ]  # fmt: skip


if __name__ == "__main__":
    for row in run(False):
        print(row)
