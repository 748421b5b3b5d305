"""Fleet: which devices need a person?"""

from __future__ import annotations

from typing import Any

from grafana.colours import (
    BLUE,
    COUNT_OF_TROUBLE,
    GREEN,
    GREY,
    KIND_WORDS,
    LOWEST,
    NONE_ALLOWED,
    ORANGE,
    RED,
    TROUBLE,
    TROUBLE_WORDS,
)
from grafana.frame import Row, dashboard, devices_variable
from grafana.influx import CITY, READINGS, TAKEN, Query, all_of, chosen, is_quantity
from grafana.panels import Line, Panel, curves, grid, number
from grafana.tables import Column, listing

ONLY = chosen("device")
_COUNTS = (
    ("Devices registered", "devices", ((0, BLUE),), "Devices in the city file."),
    (
        "Silent",
        "silent",
        COUNT_OF_TROUBLE,
        "Silent for three of their intervals, at least 15 minutes, and less than a day.",
    ),
    (
        "Silent for a day",
        "silent_for_a_day",
        NONE_ALLOWED,
        "Registered devices that were heard before, but not for a day.",
    ),
    ("Never heard", "never_heard", ((0, GREEN), (1, ORANGE)), "Registered devices of which nothing has ever arrived."),
    ("Weak radio or full ring", "weak", COUNT_OF_TROUBLE, "RSSI below -85 dBm, or a flash ring over 75 %."),
    ("Records missing", "missing", ((0, GREEN), (1, ORANGE), (100, RED)), "Numbered records that have not arrived."),
)


def build() -> dict[str, Any]:
    """The dashboard."""
    rows = [
        Row(4, [(4, _count(*entry)) for entry in _COUNTS]),
        Row(15, [(24, _devices())]),
        Row(6, [(24, _in_no_kpi())]),
        Row(10, [(12, _heard()), (12, _when())]),
        Row(10, [(8, _radios()), (8, _rings()), (8, _events())]),
    ]
    question = "Which devices need a person? The worst are on top, whatever time has passed since they were last heard."
    return dashboard(
        "fleet", "Fleet", question, rows, since="now-24h", variables=[devices_variable("device", "Device")]
    )


def _count(title: str, field: str, steps: Any, about: str) -> Panel:  # noqa: ANN401 - steps of a colour scale
    expression = 'last("weak_radio") + last("flash_ring_filling")' if field == "weak" else f'last("{field}")'
    query = Query(
        f'SELECT {expression} AS "n" FROM "state" WHERE {CITY} AND time > now() - 10m AND time <= now()', field
    )
    return number(title, about, query, "", steps=steps, size=34, decimals=0, no_value="unknown")


def _devices() -> Panel:
    about = (
        "One row a device, as ingest judged it in the last minute; the worst first. A dash: the device does not send it. Click a"
        " device to see only its curves below."
    )
    fields = '"trouble", "kind", "site", "heard", "rssi", "ring_fill", "uptime", "heap_free", "ledger_missing", "ring_dropped"'
    query = Query(f'SELECT {fields} FROM "device" WHERE {all_of(CITY, ONLY)} GROUP BY "device"', table=True)
    grey_then = ((0, GREY), (1, ORANGE), (100, RED))
    columns = [
        Column("trouble", "State", 125, "badge", steps=TROUBLE, words=TROUBLE_WORDS),
        Column("device", "Device", 110, to="fleet&var-device=${__value.text}"),
        Column("kind", "Kind", 130, words=KIND_WORDS),
        Column("site", "Site"),
        Column("heard", "Heard", 138, "ago", no_value="never"),
        Column(
            "rssi", "RSSI", 90, "coloured", unit="dBm", decimals=0, steps=((-200, RED), (-85, ORANGE), (-75, GREEN))
        ),
        Column(
            "ring_fill",
            "Flash ring",
            110,
            "bar",
            unit="%",
            decimals=0,
            most=100,
            steps=((0, BLUE), (50, ORANGE), (75, RED)),
        ),
        Column("uptime", "Up for", 95, "coloured", unit="duration", decimals=0, steps=((0, GREY),)),
        Column(
            "heap_free",
            "Memory",
            90,
            "coloured",
            unit="B",
            decimals=0,
            steps=((0, RED), (20_000, ORANGE), (40_000, GREY)),
        ),
        Column("ledger_missing", "Missing", 80, "coloured", decimals=0, steps=grey_then),
        Column("ring_dropped", "Dropped", 85, "coloured", decimals=0, steps=grey_then),
    ]
    return listing("Every device, the worst first", about, query, columns, sort="State")


def _in_no_kpi() -> Panel:
    about = (
        "What arrives, is stored and is in no KPI, because the city file does not list it: a misspelt id, a new device."
    )
    query = Query(f'SELECT "advice" FROM "device" WHERE {CITY} AND "in_no_kpi" = 1 GROUP BY "device"', table=True)
    columns = [
        Column("device", "Device", 160, to="fleet&var-device=${__value.text}"),
        Column("advice", "What it sends, and the command that registers it"),
    ]
    return listing("Stored and in no KPI", about, query, columns, sort="Device", descending=False)


def _heard() -> Panel:
    about = "Devices of which a reading came in every quarter of an hour. A fall is a gateway or a street."
    where = all_of(CITY, ONLY, READINGS, TAKEN, "$timeFilter")
    each = f'SELECT count("n") AS "c" FROM "window" WHERE {where} GROUP BY time(15m, now()), "device" fill(none)'
    query = Query(
        f'SELECT count("c") AS "heard" FROM ({each}) WHERE $timeFilter GROUP BY time(15m, now()) fill(0)', "heard"
    )
    return curves(
        "Devices heard", about, [query], "", stairs=True, legend="none", lines=[Line("heard", BLUE, 2, 15)], decimals=0
    )


def _when() -> Panel:
    about = "Windows with readings of every device in ten minutes; empty: nothing came."
    where = all_of(CITY, ONLY, READINGS, TAKEN, "$timeFilter")
    query = Query(
        f'SELECT count("n") AS "c" FROM "window" WHERE {where} GROUP BY time(10m), "device" fill(none)', "$tag_device"
    )
    return grid("Who was heard when", about, [query], "", interval="10m", decimals=0, legend=False)


def _radios() -> Panel:
    about = "Mean RSSI of the chosen time range by device, the ten weakest."
    where = all_of(CITY, ONLY, is_quantity("rssi"), TAKEN, "$timeFilter")
    each = f'SELECT sum("sum") / sum("n") AS "m" FROM "window" WHERE {where} GROUP BY "device"'
    query = Query(f'SELECT bottom("m", "device", 10) AS "m" FROM ({each})', table=True)
    columns = [
        Column("device", "Device", 0, to="fleet&var-device=${__value.text}"),
        Column(
            "m",
            "Mean RSSI",
            130,
            "coloured",
            unit="dBm",
            decimals=0,
            steps=((LOWEST, RED), (-85, ORANGE), (-75, GREEN)),
        ),
    ]
    return listing("Ten weakest radios", about, query, columns, sort="Mean RSSI", descending=False)


def _rings() -> Panel:
    about = "How full the flash ring of each device is. A climb: it cannot send. Its name is in the table and in the tooltip."
    where = all_of(CITY, ONLY, is_quantity("ring_fill"), TAKEN, "$timeFilter")
    query = f'SELECT sum("sum") / sum("n") AS "m" FROM "window" WHERE {where} GROUP BY time($__interval), "device" fill(null)'
    return curves(
        "Flash ring",
        about,
        [Query(query, "$tag_device")],
        "%",
        legend="none",
        most=100,
        decimals=0,
        interval="5m",
        fill=0,
    )


def _events() -> Panel:
    about = "Outages, calibrations, revised values, changed city files and starts of ingest in the last 30 days."
    query = Query(
        f'SELECT "text" FROM "event" WHERE {CITY} AND time > now() - 30d AND time <= now() GROUP BY "kind" ORDER BY time DESC LIMIT 40',
        table=True,
    )
    columns = [Column("Time", "When", 150), Column("kind", "Kind", 90), Column("text", "What")]
    panel = listing("Events, 30 days", about, query, columns, sort="When")
    panel["transformations"][-1]["options"]["excludeByName"] = {}
    return panel
