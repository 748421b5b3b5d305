"""CPU time to decode a message with five values: device templates beside SenML."""

from __future__ import annotations

import time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.routes import Routes
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


def measured(sample: Sample, repeat: int) -> tuple[float, int]:
    """Microseconds of CPU a message, and how many values it holds."""
    settings = SourceSettings.model_validate({"city": "town", **sample.source})
    routes = Routes(made_sources([settings], zone_of=lambda _: ZoneInfo("Europe/Berlin")))
    route = routes.find(sample.topic)
    best = float("inf")
    for _ in range(5):
        began = time.process_time_ns()
        for _ in range(repeat):
            found = route.decode(sample.payload, ARRIVAL, route.options)
        best = min(best, (time.process_time_ns() - began) / 1000 / repeat)
    rows = sum(len(part.rows) for part in (found, *found.more))
    return best, rows


def run(quick: bool) -> list[dict[str, Any]]:
    """A row for each sample; `beside senml`: its CPU time as a multiple of SenML's."""
    found = [(sample.what, *measured(sample, 2000 if quick else 10_000)) for sample in SAMPLES]
    senml = found[0][1]
    return [
        {"what": what, "values": rows, "us a message": round(us, 2), "messages/s": round(1e6 / us),
         "beside senml": round(us / senml, 2)}
        for what, us, rows in found
    ]  # fmt: skip


if __name__ == "__main__":
    for row in run(False):
        print(row)
