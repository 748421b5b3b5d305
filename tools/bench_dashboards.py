"""What one refresh of each dashboard costs InfluxDB: processor time of the server and the slowest query.

    python -m tools.bench_dashboards http://127.0.0.1:8086 --pid PID --devices 1000 --days 365

Fills the database `bench_dashboards` with hours of `--days` and windows of one day, as that many devices would leave
them (meters, air stations, chargers), lets ingest's own code write the rows of devices, and asks every query of every
panel once, as Grafana would with all devices chosen.
"""

from __future__ import annotations

import argparse
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from zoneinfo import ZoneInfo

from adapters.influx.store import InfluxStore
from ingest import targets
from ingest.fleet import Fleet
from kpi_derivation.catalogue import KPIS
from kpi_derivation.verdicts import Goal
from registry.city import City
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import CALENDAR, Period, calendar_period, local_date
from telemetry.windows import DAY, HOUR, MINUTE
from tests.grafana.asking import Asked, asked

NAME, CITY = "bench_dashboards", "bench"
KINDS = (
    ("electricity_meter", "energy_total,power", 0.45),
    ("air_reference", "pm2_5", 0.35),
    ("ev_charger", "connector_state", 0.2),
)
BATCH = 20_000


def city(devices: int) -> City:
    """The city with that many devices."""
    listed: list[dict[str, Any]] = []
    for kind, quantities, share in KINDS:
        for _ in range(round(devices * share)):
            number = len(listed)
            names = quantities.split(",")
            listed.append({"id": f"d{number:05}", "site": f"site {number % 200}", "kind": kind, "quantities": names})
    plain = {"id": CITY, "name": "Bench", "country": "NO", "timezone": "Europe/Oslo"}
    return City.model_validate({"city": plain, "device": listed})


def rows(town: City, now: int, days: int) -> Iterator[str]:
    """Line protocol of hours and windows, by time."""
    series = [(d.id, q, d.site.replace(" ", "\\ ")) for d in town.device for q in d.quantities]
    spans = (("hour", now // HOUR * HOUR - days * DAY, HOUR), ("window", now // MINUTE * MINUTE - DAY, MINUTE))
    for level, start, width in spans:
        for step, t in enumerate(range(start, now, width)):
            for number, (device, quantity, site) in enumerate(series):
                value = (step + number) % 4 if quantity == "connector_state" else step + number % 50 + 0.5
                n = width // (5 * MINUTE) or 1
                band = ",band=2i" if quantity == "pm2_5" and level == "hour" else ""
                head = f"{level},city={CITY},device={device},quantity={quantity},site={site}"
                sums = f"special=0i,n={n}i,sum={value * n},last={float(value)},last_t={t + width - 1}i"
                yield f"{head} {sums},max={float(value)},flagged=0i,lag=900i,increase=1.0{band} {t}"


def indicators(now: int, days: int) -> Iterator[StoredKpi]:
    """A value of every indicator and part for each day, month and year, and of the rolling periods, with a target."""
    zone = ZoneInfo("Europe/Oslo")
    today = local_date(now, zone)
    spans = {calendar_period(kind, today - timedelta(d), zone) for kind in CALENDAR for d in range(days)}
    spans |= {Period("365d", "365d", now - days * DAY, now), Period("24h", "24h", now - DAY, now)}
    for code, kpi in KPIS.items():
        for part in kpi.parts or ("",):
            for number, span in enumerate(sorted(spans)):
                value = KpiValue(
                    city=CITY, code=code, part=part, period=span.label, kind=span.kind, start=span.start, end=span.end,
                    value=float(number % 97), unit=kpi.unit, coverage=0.97, status="final", n_devices=10, method="b",
                )  # fmt: skip
                yield StoredKpi(kpi=value, changed=span.end, updated=now)


def fill_indicators(store: InfluxStore, now: int, days: int) -> int:
    """Write them with targets and verdicts; returns how many."""
    values = list(indicators(now, days))
    wanted = {(v.kpi.code, v.kpi.part): Goal(50.0, 1) for v in values}
    for first in range(0, len(values), BATCH):
        store.put_kpis(values[first : first + BATCH])
        store.points.put(targets.rows(values[first : first + BATCH], wanted))
    return len(values)


def call(url: str, path: str, data: bytes | None = None) -> bytes:
    """One request to InfluxDB."""
    with urllib.request.urlopen(f"{url}{path}", data=data, timeout=600) as answer:  # noqa: S310 - the address given
        body: bytes = answer.read()
        return body


def write(url: str, lines: list[str]) -> None:
    """Write a batch; a server whose cache is full answers 500 until it has made room."""
    while True:
        try:
            call(url, f"/write?db={NAME}&precision=ms", "\n".join(lines).encode())
            return
        except HTTPError as error:
            if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            time.sleep(1)


def fill(url: str, town: City, now: int, days: int) -> int:
    """Write everything; returns how many rows."""
    call(url, "/query", urllib.parse.urlencode({"q": f"CREATE DATABASE {NAME} WITH SHARD DURATION 12w"}).encode())
    batch: list[str] = []
    written = 0
    for line in rows(town, now, days):
        batch.append(line)
        if len(batch) == BATCH:
            write(url, batch)
            written += len(batch)
            batch.clear()
    write(url, batch)
    store = InfluxStore.from_url(url.replace("http", "influxdb") + f"/{NAME}")
    sys.stdout.write(f"{fill_indicators(store, now, days):,} KPI values\n")
    points = store.points
    began = time.perf_counter()
    fleet = Fleet(town, points.newest(town.id))
    sys.stdout.write(f"newest reading of every series: {time.perf_counter() - began:.2f} s\n")
    fleet.judge(now)
    began = time.perf_counter()
    points.put(fleet.rows())
    points.put([fleet.summary(now)])
    sys.stdout.write(f"rows of {len(town.device)} devices, once a minute: {time.perf_counter() - began:.3f} s\n")
    return written + len(batch)


def processor(pid: int) -> float:
    """Seconds of processor time that the process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def ask(url: str, question: Asked) -> float:
    """Seconds until the answer."""
    began = time.perf_counter()
    call(url, f"/query?db={NAME}&epoch=ms", urllib.parse.urlencode({"q": question.text}).encode())
    return time.perf_counter() - began


def main() -> int:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--pid", type=int, required=True, help="of the InfluxDB server")
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--only", default="", help="dashboards, with commas")
    parser.add_argument("--filled", action="store_true", help="the database is filled already")
    asked_for = parser.parse_args()
    now = time.time_ns() // 1_000_000
    if not asked_for.filled:
        began = time.perf_counter()
        written = fill(asked_for.url, city(asked_for.devices), now, asked_for.days)
        sys.stdout.write(f"{written:,} rows in {time.perf_counter() - began:.0f} s\n")
    questions = asked(now, CITY)
    for board in asked_for.only.split(",") if asked_for.only else dict.fromkeys(q.dashboard for q in questions):
        mine = [q for q in questions if q.dashboard == board]
        before = processor(asked_for.pid)
        took = {q.name: ask(asked_for.url, q) for q in mine}
        used = processor(asked_for.pid) - before
        slowest = max(took, key=lambda name: took[name])
        sys.stdout.write(
            f"{board:10} {len(mine):3} queries, {sum(took.values()):6.2f} s one by one, {used:6.2f} s of processor;"
            f" slowest {took[slowest]:.2f} s: {slowest.partition(': ')[2]}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
