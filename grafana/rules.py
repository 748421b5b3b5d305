"""The alert rules: what needs a person now, by which query, over which limit, and after how long.

A rule reads the newest rows only, so it costs the same in any city. Queries group by city and device; a device that has recovered is no longer in the result, or falls under the limit, and its alert clears.
"""

from __future__ import annotations

from typing import NamedTuple

from grafana.influx import TAKEN

DEVICE = '"registered" = 1'
FRESH = "time > now() - 10m AND time <= now()"


class Rule(NamedTuple):
    """`query` gives a field "value" by city (and device); it fires over `limit` for `hold`. `every`: how often asked.

    `over`: a second query by city whose value the first is divided by. `silent_is_bad`: no answer fires, too.
    `delay`: minutes from the fault until the store can show it.
    """

    uid: str
    title: str
    query: str
    limit: float
    hold: str
    severity: str
    summary: str
    about: str
    dashboard: str
    every: str = "1m"
    over: str = ""
    silent_is_bad: bool = False
    delay: int = 1


def _device(value: str, *where: str) -> str:
    conditions = " AND ".join((DEVICE, *where))
    return f'SELECT {value} AS "value" FROM "device" WHERE {conditions} GROUP BY "city", "device"'


def _hours_over(quantity: str, limit: int, count: bool) -> str:
    """The newest hour's mean; or how many of the last three whole hours were over the limit."""
    hours = "time >= now() - 4h AND time < now() - 1h" if count else "time >= now() - 2h"
    where = f"\"quantity\" = '{quantity}' AND {TAKEN} AND {hours}"
    each = (
        f'SELECT sum("sum") / sum("n") AS "m" FROM "hour" WHERE {where} GROUP BY time(1h), "city", "device" fill(none)'
    )
    if count:
        return f'SELECT count("m") AS "value" FROM ({each}) WHERE "m" > {limit} GROUP BY "city", "device"'
    return f'SELECT last("m") AS "value" FROM ({each}) GROUP BY "city", "device"'


DEVICES = (
    Rule(
        "device-silent", "Device silent", _device('"silent"', '"heard" > 0'), 0.5, "5m", "warning",
        "{{ $labels.device }} in {{ $labels.city }} is silent",
        "No reading for three of its intervals, at least 15 minutes. Check power, radio and gateway; the dashboard"
        " Fleet shows what else fell silent at that time.", "fleet", delay=16,
    ),
    Rule(
        "device-gone", "Device silent for a day", _device('"silent"', '"trouble" = 7'), 0.5, "10m", "critical",
        "{{ $labels.device }} in {{ $labels.city }} has been silent for a day",
        "It has sent before, and nothing for a day. Inspect it on site.", "fleet", delay=1441,
    ),
    Rule(
        "ring-filling", "Flash ring filling", _device('"ring_fill"', '"silent" = 0'), 75, "10m", "warning",
        "{{ $labels.device }} cannot send: its flash ring is {{ printf \"%.0f\" $values.B.Value }} % full",
        "When it is full the node drops its oldest records.", "fleet",
    ),
    Rule(
        "connector-fault", "Connector in fault", _device('"connector_state"', '"silent" = 0'), 2.5, "30m", "warning",
        "{{ $labels.device }} in {{ $labels.city }} is in fault", "The connector has reported a fault for half an hour.",
        "charging",
    ),
    Rule(
        "station-suspect", "Station suspect", _device('"suspect"'), 6.5, "0s", "info",
        "{{ $labels.device }} in {{ $labels.city }} is suspect",
        "On seven or more of the last 30 days it differs implausibly from its neighbours. Compare, calibrate or leave it"
        " out.", "air", every="5m", delay=14 * 1440,
    ),
    Rule(
        "records-missing", "Records missing", _device('"ledger_missing"'), 100, "30m", "info",
        "{{ printf \"%.0f\" $values.B.Value }} records of {{ $labels.device }} have not arrived",
        "Numbered by the device and not received. Ask for them: cityvitals resend.", "pipeline",
    ),
)  # fmt: skip
_THREE_HOURS = (
    "Three whole hours running, by directive 2008/50/EC. Directive 2024/2881 lowers it: set what is in force."
)
AIR = (
    Rule(
        "o3-information", "Ozone over the information threshold", _hours_over("o3", 180, False), 180, "0s", "warning",
        "Ozone {{ printf \"%.0f\" $values.B.Value }} µg/m³ at {{ $labels.device }}, {{ $labels.city }}",
        "An hour over 180 µg/m³: the public has to be informed (EU).", "air", every="5m", delay=2,
    ),
    Rule(
        "o3-alarm", "Ozone over the alert threshold", _hours_over("o3", 240, False), 240, "0s", "critical",
        "Ozone {{ printf \"%.0f\" $values.B.Value }} µg/m³ at {{ $labels.device }}, {{ $labels.city }}",
        "An hour over 240 µg/m³ (EU alert threshold).", "air", every="5m", delay=2,
    ),
    Rule(
        "no2-alarm", "NO2 over the alert threshold", _hours_over("no2", 400, True), 2.5, "0s", "critical",
        "NO₂ over 400 µg/m³ for three hours at {{ $labels.device }}, {{ $labels.city }}", _THREE_HOURS, "air", every="5m",
        delay=240,
    ),
    Rule(
        "so2-alarm", "SO2 over the alert threshold", _hours_over("so2", 500, True), 2.5, "0s", "critical",
        "SO₂ over 500 µg/m³ for three hours at {{ $labels.device }}, {{ $labels.city }}", _THREE_HOURS, "air", every="5m",
        delay=240,
    ),
)  # fmt: skip
_POWER = (
    f'SELECT sum("m") AS "value" FROM (SELECT sum("sum") / sum("n") AS "m" FROM "window" WHERE "quantity" = \'power\' AND {TAKEN}'
    ' AND time >= now() - 15m GROUP BY "city", "device") GROUP BY "city"'
)
_CONTRACT = 'SELECT last("target") * 1000 AS "value" FROM "kpi" WHERE "code" = \'LOCAL:E:PEAK\' AND "period" = \'month\' AND time <= now() GROUP BY "city"'
_GATEWAY = '"kind" = \'gateway\' AND "silent" = 0'
PIPELINE = (
    Rule(
        "peak-near", "Peak near the contract", _POWER, 0.92, "0s", "warning",
        "{{ $labels.city }} draws {{ printf \"%.2f\" $values.B.Value }} of its contracted power",
        "Mean of the last quarter of an hour over 92 % of the target of LOCAL:E:PEAK. What can be switched off or moved?",
        "energy", over=_CONTRACT, delay=2,
    ),
    Rule(
        "nothing-comes", "No readings from the city",
        f'SELECT last("age") AS "value" FROM "state" WHERE {FRESH} GROUP BY "city"', 900, "5m", "critical",
        "No reading of {{ $labels.city }} for {{ printf \"%.0f\" $values.B.Value }} s",
        "The broker or the gateways have stopped; ingest is running.", "pipeline", delay=16,
    ),
    Rule(
        "ingest-stopped", "Ingest stopped",
        f'SELECT 1 - ceil(count("devices") / 1000000000) AS "value" FROM "state" WHERE {FRESH}', 0.5, "2m", "critical",
        "Ingest has written nothing for ten minutes",
        "Ingest or the store has stopped; gateways keep what arrives. An empty result is the alert.", "pipeline",
        silent_is_bad=True, delay=11,
    ),
    Rule(
        "gateway-lag", "Gateway lags",
        f'SELECT last("max") AS "value" FROM "window" WHERE "quantity" = \'gw_lag\' AND {FRESH} GROUP BY "city", "device"', 900,
        "5m", "warning", "{{ $labels.device }} is {{ printf \"%.0f\" $values.B.Value }} s behind",
        "Its oldest window waits for the store. The readings are kept; look at the uplink.", "pipeline", delay=16,
    ),
    Rule(
        "gateway-silent", "Gateway silent",
        'SELECT "silent" AS "value" FROM "device" WHERE "kind" = \'gateway\' GROUP BY "city", "device"', 0.5, "5m", "critical",
        "Gateway {{ $labels.device }} of {{ $labels.city }} is silent",
        "No report of it for 15 minutes: it is off, or its uplink is. Devices keep their records meanwhile.", "pipeline",
        delay=16,
    ),
    Rule(
        "gateway-disk", "Gateway's disk nearly full",
        f'SELECT 100 - "gw_disk_free" AS "value" FROM "device" WHERE {_GATEWAY} GROUP BY "city", "device"', 90, "10m", "warning",
        "The disk of {{ $labels.device }} is {{ printf \"%.0f\" $values.B.Value }} % full",
        "When it is full, the gateway acknowledges nothing more and its devices have to keep what they measure.", "pipeline",
        delay=2,
    ),
    Rule(
        "certificate-ends", "Certificate of a gateway expires",
        f'SELECT 21 - "gw_cert_days" AS "value" FROM "device" WHERE {_GATEWAY} GROUP BY "city", "device"', 0, "10m", "warning",
        "A certificate of {{ $labels.device }} expires within three weeks",
        "Then the broker rejects the gateway. Renew it: cityvitals enrol.", "pipeline", delay=2,
    ),
    Rule(
        "gateway-drops", "Gateway drops windows",
        'SELECT sum("d") AS "value" FROM (SELECT non_negative_difference(last("last")) AS "d" FROM "window"'
        ' WHERE "quantity" = \'gw_dropped\' AND time > now() - 1h GROUP BY time(1m), "city", "device" fill(none))'
        ' GROUP BY "city", "device"', 0, "0s", "critical",
        "{{ $labels.device }} dropped {{ printf \"%.0f\" $values.B.Value }} windows: its disk is full",
        "Data is being lost at the gateway.", "pipeline", delay=2,
    ),
)  # fmt: skip
GROUPS = {"CityVitals devices": DEVICES, "CityVitals air": AIR, "CityVitals pipeline": PIPELINE}


def minutes(duration: str) -> int:
    """Minutes of `5m`, `0s`."""
    return int(duration[:-1]) // {"m": 1, "s": 60}[duration[-1]]


def latest_after(rule: Rule) -> int:
    """Minutes from the fault to the alert, at most: until the store shows it, the next evaluation, and the hold."""
    return rule.delay + minutes(rule.every) + minutes(rule.hold)
