"""Pipeline: does every reading arrive?"""

from __future__ import annotations

from typing import Any

from grafana.colours import BLUE, GREEN, GREY, ORANGE, RED, VIOLET
from grafana.frame import Row, dashboard
from grafana.influx import CITY, PAST, READINGS, TAKEN, Query, all_of, is_quantity, select, steps
from grafana.panels import Line, Panel, curves, number
from grafana.tables import Column, listing
from telemetry.quantities import QUANTITIES, REJECT_KINDS

LATE = '"quantity" !~ /^(session_energy|connected_time|demand_15min)$/'
LAG_STEPS = ((0, GREEN), (180, ORANGE), (900, RED))
DISK_STEPS = ((0, RED), (10, ORANGE), (20, GREEN))
CERTIFICATE_STEPS = ((-1e6, RED), (7, ORANGE), (21, GREEN))


def build() -> dict[str, Any]:
    """The dashboard."""
    rows = [
        Row(4, [(4, _newest()), (4, _rate()), (4, _lag_now()), (4, _backlog_now()), (4, _rejected()), (4, _missing())]),
        Row(9, [(12, _taken()), (12, _not_taken())]),
        Row(8, [(8, _lag()), (8, _backlog()), (8, _to_gateway())]),
        Row(9, [(12, _gateways()), (5, _gateway_reasons()), (7, _reasons())]),
        Row(10, [(8, _quantities()), (16, _ledger())]),
    ]
    question = "Does every reading arrive? From the device over gateway and outbox into the store."
    return dashboard("pipeline", "Pipeline", question, rows, since="now-6h", refresh="30s")


def _newest() -> Panel:
    about = "When the newest stored reading of any registered device was taken."
    return number(
        "Newest reading",
        about,
        Query(f'SELECT last("newest") AS "t" FROM "state" WHERE {CITY} AND {PAST}', "newest"),
        "ago",
        size=19,
    )


def _rate() -> Panel:
    about = (
        "Readings stored a minute, mean of five minutes that ended two minutes ago, when their windows have arrived."
    )
    each = f'SELECT sum("n") AS "r" FROM "window" WHERE {all_of(CITY, READINGS, "$timeFilter")} AND time < now() - 2m GROUP BY time(1m) fill(0)'
    text = f'SELECT moving_average("r", 5) AS "rate" FROM ({each})'
    return number(
        "Readings a minute", about, Query(text, "rate"), "", time_from="3h", spark=True, decimals=0,
        steps=((0, RED), (0.001, BLUE)), interval="1m",
    )  # fmt: skip


def _gauge(quantity: str, expression: str, time: str, fill: str, by: str = "") -> str:
    where = all_of(CITY, is_quantity(quantity), TAKEN, "$timeFilter")
    group = ", ".join(filter(None, (f"time({time})", by)))
    return f'SELECT {expression} FROM "window" WHERE {where} GROUP BY {group} fill({fill})'


def _lag_now() -> Panel:
    about = "Age of the oldest window that no receipt has confirmed, worst gateway. Up to 70 s is the normal beat; over three minutes the uplink is down."
    query = Query(_gauge("gw_lag", 'max("max") AS "lag"', "1m", "none"), "lag")
    return number("Oldest waiting window", about, query, "s", time_from="3h", spark=True, steps=LAG_STEPS, decimals=0)


def _backlog_now() -> Panel:
    about = "Windows in the outboxes of all gateways."
    each = _gauge("gw_dirty", 'max("max") AS "v"', "1m", "none", '"device"')
    query = Query(
        f'SELECT sum("v") AS "waiting" FROM ({each}) WHERE $timeFilter GROUP BY time(1m) fill(none)', "waiting"
    )
    return number(
        "Windows waiting",
        about,
        query,
        "",
        time_from="3h",
        spark=True,
        steps=((0, GREEN), (5000, ORANGE), (50_000, RED)),
        decimals=0,
    )


def _rejected() -> Panel:
    about = "Messages and readings that gateways rejected in 24 hours. The reasons: cityvitals rejects list."
    text = f'SELECT sum("d") AS "n" FROM ({steps("gw_rejected", "time(1m)")}) WHERE $timeFilter'
    return number(
        "Rejected, 24 hours",
        about,
        Query(text, "rejected"),
        "",
        time_from="24h",
        steps=((0, GREEN), (1, ORANGE)),
        decimals=0,
    )


def _missing() -> Panel:
    about = "Records that nodes numbered and that have not arrived, over all devices."
    text = f'SELECT last("missing") AS "n" FROM "state" WHERE {CITY} AND time > now() - 10m AND time <= now()'
    return number("Records missing", about, Query(text, "missing"), "", steps=((0, GREEN), (1, ORANGE), (100, RED)), decimals=0,
                  no_value="unknown", to="fleet")  # fmt: skip


def _counted(*entries: tuple[str, str, str]) -> tuple[list[Query], list[Line]]:
    counted = ((steps(quantity, "time($__interval)"), name) for quantity, name, _ in entries)
    queries = [Query(f"{text.removesuffix('fill(none)')}fill(null)", name) for text, name in counted]  # a gap stays one
    return queries, [Line(name, colour, 2, 8) for _, name, colour in entries]


def _taken() -> Panel:
    about = "Messages and readings in every interval, all gateways. The newest interval is not whole yet, so the line ends low."
    queries, lines = _counted(("gw_received", "messages received", BLUE), ("gw_stored", "readings stored", GREEN))
    return curves("What the gateways stored", about, queries, "", lines=lines, interval="1m", decimals=0)


def _not_taken() -> Panel:
    about = "What gateways did not store, or stored apart: rejected, flagged by quality control, duplicates, and windows given up because the disk was full."
    queries, lines = _counted(
        ("gw_rejected", "rejected", ORANGE), ("gw_flagged", "flagged", VIOLET), ("gw_duplicate", "duplicates", BLUE),
        ("gw_dropped", "given up unsent", RED),
    )  # fmt: skip
    return curves("What they did not store", about, queries, "", lines=lines, interval="1m")


def _lag() -> Panel:
    about = "Age of the oldest unconfirmed window of each gateway. A gap: the gateway reported nothing."
    query = Query(_gauge("gw_lag", 'max("max") AS "lag"', "$__interval", "null", '"device"'), "$tag_device")
    return curves("Oldest waiting window by gateway", about, [query], "s", interval="1m", decimals=1)


def _backlog() -> Panel:
    about = "Windows in the outbox of each gateway."
    query = Query(_gauge("gw_dirty", 'max("max") AS "waiting"', "$__interval", "null", '"device"'), "$tag_device")
    return curves("Windows waiting by gateway", about, [query], "", interval="1m", decimals=0)


def _to_gateway() -> Panel:
    about = "Time from a reading to its arrival at the gateway: median and largest. Charging sessions are left out: they are reported when they end."
    where = all_of(CITY, READINGS, TAKEN, LATE, "$timeFilter")
    queries = [
        Query(f'SELECT {call}("lag") AS "m" FROM "window" WHERE {where} GROUP BY time($__interval) fill(null)', name)
        for call, name in (("median", "median"), ("max", "largest"))
    ]
    lines = [Line("median", BLUE, 2, 8), Line("largest", GREY, 1, 0)]
    return curves("From reading to gateway", about, queries, "ms", lines=lines, interval="1m", decimals=0)


def _gateways() -> Panel:
    about = (
        "Every gateway: when it was heard, what waits in it, windows given up since it was installed, free space on its disk,"
        " days until its certificate ends."
    )
    fields = '"heard", "gw_lag", "gw_dirty", "gw_dropped", "gw_disk_free", "gw_cert_days"'
    query = Query(f'SELECT {fields} FROM "device" WHERE {CITY} AND "kind" = \'gateway\' GROUP BY "device"', table=True)
    columns = [
        Column("device", "Gateway"),
        Column("heard", "Heard", 138, "ago"),
        Column("gw_lag", "Oldest", 80, "coloured", unit="s", decimals=0, steps=LAG_STEPS),
        Column("gw_dirty", "Waiting", 80, decimals=0),
        Column("gw_dropped", "Given up", 80, "coloured", decimals=0, steps=((0, GREY), (1, RED))),
        Column("gw_disk_free", "Disk free", 80, "coloured", unit="%", decimals=0, steps=DISK_STEPS),
        Column("gw_cert_days", "Certificate", 95, "coloured", unit="days", decimals=0, steps=CERTIFICATE_STEPS),
    ]
    return listing("Gateways", about, query, columns, sort="Oldest")


def _gateway_reasons() -> Panel:
    about = "What gateways rejected in 24 hours, by kind of reason; the messages and whole sentences: cityvitals rejects list."
    named = '"quantity" =~ /^gw_(rejected_|not_served)/'
    by = ("time(10m)", '"device"', '"quantity"')
    each = select(
        'non_negative_difference(last("last")) AS "d"', "window", [CITY, named, TAKEN, "$timeFilter"], by, "none"
    )
    query = Query(f'SELECT sum("d") AS "n" FROM ({each}) WHERE "d" > 0 GROUP BY "quantity"', table=True)
    words = {f"gw_rejected_{kind}": why for kind, why in REJECT_KINDS.items()} | {
        "gw_not_served": "city or device not served"
    }
    columns = [
        Column("n", "Count", 75, "coloured", decimals=0, steps=((0, GREY), (1, ORANGE))),
        Column("quantity", "Why", words=words),
    ]
    return listing("Rejected by gateways", about, query, columns, sort="Count", time_from="24h")


def _reasons() -> Panel:
    about = "Messages that ingest rejected in 24 hours, by reason: windows of gateways that it does not take."
    query = Query(
        f'SELECT sum("n") AS "n" FROM "reject" WHERE {CITY} AND time > now() - 24h GROUP BY "reason"', table=True
    )
    columns = [
        Column("n", "Messages", 100, "coloured", decimals=0, steps=((0, GREY), (1, ORANGE))),
        Column("reason", "Reason"),
    ]
    return listing("Rejected by ingest", about, query, columns, sort="Messages")


def _quantities() -> Panel:
    about = "Readings stored in 24 hours by quantity, and how many quality control flagged; the most flagged first."
    where = all_of(CITY, READINGS, "$timeFilter")
    query = Query(
        f'SELECT sum("flagged") AS "flagged", sum("n") AS "n" FROM "window" WHERE {where} GROUP BY "quantity"',
        table=True,
    )
    words = {name: quantity.title for name, quantity in QUANTITIES.items()}
    columns = [
        Column("quantity", "Quantity", words=words),
        Column("flagged", "Flagged", 85, "coloured", decimals=0, steps=((0, GREY), (1, ORANGE))),
        Column("n", "Readings", 95, decimals=0),
    ]
    return listing("Readings by quantity, 24 hours", about, query, columns, sort="Flagged", time_from="24h")


def _ledger() -> Panel:
    about = "Records by device since it was installed, as the gateway counts them; most missing first."
    names = ("sent", "received", "missing", "recovered", "duplicate", "refused", "lost")
    fields = ", ".join(f'"ledger_{name}"' for name in names)
    query = Query(f'SELECT {fields} FROM "device" WHERE {CITY} AND "ledger_sent" > 0 GROUP BY "device"', table=True)
    alarm = ((0, GREY), (1, ORANGE))
    columns = [
        Column("device", "Device", to="fleet&var-device=${__value.text}"),
        Column("ledger_sent", "Numbered", 90, decimals=0),
        Column("ledger_received", "Received", 90, decimals=0),
        Column("ledger_missing", "Missing", 85, "coloured", decimals=0, steps=alarm),
        Column("ledger_recovered", "Recovered", 95, decimals=0),
        Column("ledger_duplicate", "Duplicate", 95, decimals=0),
        Column("ledger_refused", "Rejected", 85, "coloured", decimals=0, steps=alarm),
        Column("ledger_lost", "Reported lost", 110, "coloured", decimals=0, steps=alarm),
    ]
    return listing("Ledger by device", about, query, columns, sort="Missing")
