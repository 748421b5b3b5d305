"""How long readers wait for a large city: `python -m tests.bench.readers`.

    routes   every GET route of the API and the page, by --users clients at once, each with a connection of its own
    live     --clients of the live feed, two changes a second: of another value each time, which every client must
             receive, and of the same value, of which a client receives one with each poll, and always the newest

A city of --series series in SQLite: hours of all of them for --days, of 50 for --years, every KPI of every period of
--years. Wall times are those of a machine that runs the clients too; `ms CPU` is the API's own time for a request.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import psutil

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord, Heartbeat
from kpi_derivation.catalogue import KPIS
from registry.city import City
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import Period, PeriodKind, calendar_period, local_date
from telemetry.windows import DAY, HOUR, MINUTE
from tests.bench.engine import city, hourly
from tests.processes import end, free_port, start, wait_for

_SERIES_OF_YEARS = 50
_ROWS = 500_000
_SAME = 2_000_000  # marks of changes of the same value
UTC = ZoneInfo("UTC")
_CALENDAR: tuple[PeriodKind, ...] = ("day", "month", "quarter", "year")
# What the path of a route leaves open, and what some routes ask for.
_NAMES = {"city": "c", "device": "m1", "code": "LOCAL:E:METERED", "year": "2025"}
_ASKED = {
    "/v1/cities/{city}": ("", "?devices=false"),
    "/v1/cities/{city}/kpis": ("", "?period=2025", "?period=24h"),
    "/v1/cities/{city}/kpis/{code}/series": ("", "?from=2022-01-01"),
    "/v1/cities/{city}/hours": ("?quantity=energy_delta",),
    "/v1/cities/{city}/devices/{device}/hours": ("?quantity=energy_delta",),
    "/v1/cities/{city}/report/form": ("?year=2025",),
    "/v1/cities/{city}/sdg": ("?period=2025",),
    "/v1/cities/{city}/sub-dimensions.svg": ("?period=2025",),
    "/v1/region/profile": ("?period=2025",),
    "/v1/region/heat-map": ("?period=2025",),
    "/v1/region/index": ("?period=2025",),
    "/v1/region/peers": ("?city=c",),
    "/v1/region/twins": ("?ours=c&theirs=c&period=2025",),
    "/v1/compare": ("?period=2025",),
}
# Endless, of another site, or one computation at a time of seconds to minutes, which `planning` measures.
_SKIPPED = ("/v1/live", "/v1/login", "/plan/", "/explain")


def values(model: City, years: int, now: int) -> Iterator[StoredKpi]:
    """A value of every KPI and part in every calendar period, and the newest rolling ones."""
    today = local_date(now, model.zone)
    days = [today - timedelta(days=n) for n in range(365 * years)]
    periods = sorted({calendar_period(kind, day, model.zone) for kind in _CALENDAR for day in days})
    periods += [Period("24h", "24h", now - DAY, now), Period("365d", "365d", now - 365 * DAY, now)]
    for period in periods:
        for kpi in KPIS.values():
            for part in kpi.parts or ("",):
                yield _value(model.id, kpi.code, part, period, float(len(part)), now)


def _value(city_id: str, code: str, part: str, period: Period, value: float, now: int) -> StoredKpi:
    kpi = KpiValue(
        city=city_id, code=code, part=part, period=period.label, kind=period.kind, start=period.start, end=period.end,
        value=value, unit="/", coverage=0.9, status="final", n_devices=100, method="mean of all devices",
    )  # fmt: skip
    return StoredKpi(kpi=kpi, changed=now, updated=now)


def made(path: Path, series: int, days: int, years: int, now: int) -> dict[str, Any]:
    """Write the store; its size and rows."""
    model, table = city(series // 20, series - series // 20)
    store = SqliteStore(path)
    store.put_city(CityRecord(model.id, model.model_dump(mode="json", exclude_defaults=True), MINUTE))
    store.put_heartbeats([Heartbeat("ingest", "ingest-1", now)])
    end_, counts = now // HOUR * HOUR, {"hours": 0, "values": 0}
    few = np.arange(min(_SERIES_OF_YEARS, series)) + series // 20 - _SERIES_OF_YEARS // 2
    pieces = [(few, t, min(t + 100 * DAY, end_)) for t in range(end_ - 365 * years * DAY, end_, 100 * DAY)]
    step = max(_ROWS // series, 1) * HOUR
    pieces += [(np.arange(series), t, min(t + step, end_)) for t in range(end_ - days * DAY, end_, step)]
    for ids, low, high in pieces:
        rows = hourly(ids, low, high)
        store.put_partials("hour", rows, table)
        counts["hours"] += len(rows)
    store.put_partials("window", hourly(np.arange(series), end_ - HOUR, end_), table)
    found = list(values(model, years, now))
    for row in range(0, len(found), 50_000):
        store.put_kpis(found[row : row + 50_000])
    counts["values"] = len(found)
    store.close()
    return {"series": series, **counts, "MB": path.stat().st_size >> 20}


@contextmanager
def api(folder: Path, store: Path, clients: int) -> Iterator[tuple[int, psutil.Process]]:
    """The API as a process, without its limits of a client: all come from one address."""
    port = free_port()
    limits = f"rate = 1e6\nmax_live = {clients + 10}\nmax_connections = {4 * clients + 1000}"
    config = folder / "cityvitals.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{store}"\n[api]\nport = {port}\npublic = true\n{limits}\n')
    process = start([sys.executable, "-m", "cityvitals", "api", "--config", str(config)], log=folder / "api.log")
    try:
        wait_for(lambda: asyncio.run(_answers(port)), 60, "the API")
        yield port, psutil.Process(process.pid)
    finally:
        end(process)


async def _answers(port: int) -> bool:
    try:
        return (await ask(port, "/healthz"))[0] == 200
    except OSError:
        return False


async def ask(port: int, path: str) -> tuple[int, int]:
    """Status and bytes of an answer, on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    size = len(answer)
    while more := await reader.read():
        size += len(more)
    writer.close()
    return int(answer.split(b" ", 2)[1] or 0), size


def paths(described: dict[str, Any]) -> list[str]:
    """The paths to ask for: every GET route, the page's files are one."""
    found = ["/"]
    for path, methods in described["paths"].items():
        if "get" in methods and not any(part in path for part in _SKIPPED):
            plain = path
            for name, value in _NAMES.items():
                plain = plain.replace("{" + name + "}", value)
            found += [plain + query for query in _ASKED.get(path, ("",))]
    return found


def cpu(process: psutil.Process) -> float:
    """Processor seconds of the API."""
    used = process.cpu_times()
    return float(used.user + used.system)


async def of_route(port: int, path: str, users: int, each: int, process: psutil.Process) -> dict[str, Any]:
    """One client alone, then `users` at once."""
    began = time.perf_counter()
    status, size = await ask(port, path)
    alone = time.perf_counter() - began
    row: dict[str, Any] = {"path": path, "status": status, "bytes": size, "alone, ms": round(1000 * alone, 1)}
    if status != 200:
        return row
    took: list[float] = []

    async def user() -> None:
        for _ in range(each):
            first = time.perf_counter()
            await ask(port, path)
            took.append(time.perf_counter() - first)

    before = cpu(process)
    await asyncio.gather(*(user() for _ in range(users)))
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    per = 1000 * (cpu(process) - before) / len(took)
    return row | {"users": users, "p50, s": round(p50, 3), "p99, s": round(p99, 3), "ms CPU": round(per, 2)}


async def routes(port: int, users: int, each: int, process: psutil.Process, only: str) -> list[dict[str, Any]]:
    """All rows, the slowest last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    described = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
    writer.close()
    found = []
    for path in paths(described):
        if only in path:
            found.append(await of_route(port, path, users, each, process))
            print(found[-1], flush=True)
    return sorted(found, key=lambda row: row.get("p99, s", 0.0))


class Listeners:
    """Clients of the live feed. `changed`: when a change was stored, by the number that marks it; `delays`: how long
    those that differ took to each client; `newest`: the last change of the one value that each client has.
    """

    def __init__(self, port: int, clients: int) -> None:
        self._port, self._ready = port, 0
        self.changed: dict[int, float] = {}
        self.delays: list[float] = []
        self.newest = [0] * clients
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self) -> None:
        """Connect all, and wait until they have their first values."""
        for number in range(len(self.newest)):
            self._tasks.append(asyncio.create_task(self._listen(number)))
            if len(self._tasks) % 50 == 0:
                await asyncio.sleep(0.05)
        while self._ready < len(self.newest) * 0.999:
            await asyncio.sleep(0.2)

    async def _listen(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        writer.write(b"GET /v1/live?city=c HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            while line := await reader.readline():
                if line.startswith(b"data:") and b'"snapshot"' not in line:
                    self._note(number, line)
        finally:
            writer.close()

    def _note(self, number: int, line: bytes) -> None:
        self._ready += b'"kpis"' in line and not self.changed
        for piece in line.split(b'"n_devices":')[1:]:
            mark = int(piece.partition(b",")[0])
            if at := self.changed.get(mark):
                self.delays.append(time.perf_counter() - at)
            elif mark >= _SAME:
                self.newest[number] = max(self.newest[number], mark)

    async def all_there(self, seconds: int) -> None:
        """Wait until every client has every change, a minute at most."""
        for _ in range(60):
            if len(self.delays) >= len(self.newest) * seconds and min(self.newest) == _SAME + seconds - 1:
                return
            await asyncio.sleep(1)

    def leave(self) -> None:
        """Disconnect."""
        for task in self._tasks:
            task.cancel()


async def live(port: int, clients: int, seconds: int, store: Path, process: psutil.Process) -> dict[str, Any]:
    """Clients of the live feed while values change every second."""
    listeners = Listeners(port, clients)
    memory, before_joining = process.memory_info().rss >> 20, cpu(process)
    await listeners.join()
    joined = cpu(process) - before_joining
    used, began = cpu(process), time.perf_counter()
    await _changes(store, seconds, listeners.changed)
    await listeners.all_there(seconds)
    wall, used = time.perf_counter() - began, cpu(process) - used
    listeners.leave()
    p50, p99 = np.percentile(listeners.delays, [50, 99]).tolist()
    return {
        "clients": clients, "joining, s CPU": round(joined, 1), "API, cores": round(used / wall, 2),
        "ms CPU a client and change": round(1000 * used / clients / seconds, 3),
        "received": len(listeners.delays), "of": clients * seconds, "p50, s": round(p50, 2), "p99, s": round(p99, 2),
        "have the newest": sum(mark == _SAME + seconds - 1 for mark in listeners.newest),
        "MB": process.memory_info().rss >> 20, "MB before": memory,
    }  # fmt: skip


async def _changes(store: Path, seconds: int, changed: dict[int, float]) -> None:
    """Store two values every second; notes when each of those that differ was stored, by the number that marks it."""
    opened, began, codes = SqliteStore(store), time.perf_counter(), sorted(set(KPIS) - {"LOCAL:E:METERED"})
    for second in range(seconds):
        now = round(time.time() * 1000)
        period = calendar_period("day", local_date(now, UTC), UTC)
        number, code = 1_000_000 + second, codes[second % len(codes)]
        changed[number] = time.perf_counter()
        other = _value("c", code, (KPIS[code].parts or ("",))[0], period, float(second), now)
        same = _value("c", "LOCAL:E:METERED", "", period, float(second), now)
        opened.put_kpis([_marked(other, number), _marked(same, _SAME + second)])
        await asyncio.sleep(max(0.0, began + second + 1 - time.perf_counter()))
    opened.close()


def _marked(value: StoredKpi, number: int) -> StoredKpi:
    return msgspec.structs.replace(value, kpi=msgspec.structs.replace(value.kpi, n_devices=number))


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--clients", type=int, default=5_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--only", default="", help="only paths with this text")
    parser.add_argument("--keep", type=Path, help="the store; made where there is none")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = given.keep or folder / "readers.db"
        if not store.exists():
            print(made(store, given.series, given.days, given.years, round(time.time() * 1000)), flush=True)
        with api(folder, store, given.clients) as (port, process):
            if given.users:
                asyncio.run(routes(port, given.users, given.each, process, given.only))
        if given.clients:
            with api(folder, store, given.clients) as (port, process):
                print(asyncio.run(live(port, given.clients, given.seconds, store, process)))


if __name__ == "__main__":
    main()
