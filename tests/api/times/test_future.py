"""No reader prefers the future: a clock that was a year ahead changes no answer of the API or of a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Store
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.periods import iso
from telemetry.windows import DAY, HOUR
from tests.api.city import CITY, NOW, put_hours, put_windows, seed
from tests.reporting.city import run

AHEAD = 730 * DAY  # behind the clock of the commands too, which is the system's
ROUTES = (
    f"/v1/cities/{CITY}", f"/v1/cities/{CITY}/kpis", f"/v1/cities/{CITY}/kpis?period=24h", f"/v1/cities/{CITY}/now",
    f"/v1/cities/{CITY}/kpis?period=2028", f"/v1/cities/{CITY}/kpis/EN:E:E:2C?kind=day",
    f"/v1/cities/{CITY}/kpis/EN:E:E:2C?kind=year", f"/v1/cities/{CITY}/indicators", f"/v1/cities/{CITY}/snapshot",
    f"/v1/cities/{CITY}/devices", f"/v1/cities/{CITY}/goals", f"/v1/cities/{CITY}/sdg", f"/v1/compare?cities={CITY}",
    "/v1/index/kpis?limit=5000", "/v1/index/catalogue", "/metrics",
)  # fmt: skip
COMMANDS = (
    ("show", "--period", "24h"), ("show", "--period", "365d"), ("show", "--period", "2028"), ("trend",), ("goals",),
    ("export", "--kind", "year", "--kind", "24h", "--kind", "day", "--format", "csv"), ("compare", "--period", "2028"),
)  # fmt: skip


def shifted(row: StoredKpi) -> StoredKpi:
    """The value as it would be stored by a clock that is ahead."""
    k, label = row.kpi, row.kpi.period
    later = re.sub(r"^\d{4}(?=$|-)", lambda year: str(int(year[0]) + 2), label)
    moved = msgspec.structs.replace(
        k, start=k.start + AHEAD, end=k.end + AHEAD, period=later, value=None if k.value is None else k.value * 9 + 1
    )
    return StoredKpi(kpi=moved, changed=row.changed + AHEAD, updated=row.updated + AHEAD)


def ahead(store: Store) -> None:
    """What a clock that was ahead left in the store: values, hours and windows of coming years."""
    found = store.kpis(KpiQuery(CITY))
    newest = max(row.kpi.start for row in found)
    store.put_kpis([shifted(row) for row in found if row.kpi.start > newest - 900 * DAY])
    for put in (put_hours, put_windows):
        put(store, [NOW + AHEAD, NOW + AHEAD + HOUR])


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[SqliteStore]]:
    """The same city twice; the second has rows of the future too."""
    stores = [SqliteStore(tmp_path / name) for name in ("right.db", "ahead.db")]
    for store in stores:
        seed(store)
        put_hours(store, [NOW - 2 * HOUR, NOW - HOUR])
        put_windows(store, [NOW - HOUR])
    ahead(stores[1])
    assert stores[1].span(CITY, "hour") == ((NOW - 2 * HOUR) // HOUR * HOUR, (NOW + AHEAD + HOUR) // HOUR * HOUR)
    yield stores
    for store in stores:
        store.close()


def plain(text: str) -> str:
    """An answer without what may differ: numbers of changes, cursors, the server's port, how long requests took."""
    text = re.sub(r'"change":\d+|"(cursor|next)":"[^"]*"|127.0.0.1:\d+', "", text)
    return "\n".join(line for line in text.splitlines() if "_request" not in line)


def test_no_answer_of_the_api_changes(two: list[SqliteStore], serving: Callable[..., str]) -> None:
    right, wrong = (serving(store) for store in two)
    for route in ROUTES:
        expected, found = httpx.get(right + route, timeout=30), httpx.get(wrong + route, timeout=30)
        assert found.status_code == expected.status_code, route
        assert plain(found.text) == plain(expected.text), route
    assert httpx.get(right + ROUTES[1]).json()


def test_no_answer_of_a_command_changes(two: list[SqliteStore], tmp_path: Path) -> None:
    for command in COMMANDS:
        answers = []
        for name in ("right.db", "ahead.db"):
            more = () if command[0] == "compare" else ("--city", CITY)
            out = ("--out", tmp_path / "out") if command[0] == "export" else ()
            said = run("kpi", *command, *more, *out, "--store", f"sqlite:///{tmp_path / name}")
            answers.append((tmp_path / "out").read_text() if out else said)
        assert answers[1] == answers[0], command


def test_a_reader_that_has_a_value_of_the_future_learns_that_it_was_withdrawn(
    two: list[SqliteStore], serving: Callable[..., str]
) -> None:
    url = serving(two[1])
    place, more = "", True
    while more:
        page = httpx.get(f"{url}/v1/index/kpis?limit=5000&cursor={place}", timeout=30).json()
        place, more = page["cursor"], page["more"]
        assert all(v["value"] is None or v["start"] <= iso(NOW) for v in page["values"])
    [old] = two[1].kpis(KpiQuery(CITY, ["year"], ["EN:E:E:2C"], NOW + 200 * DAY))[-1:]
    assert old.kpi.value is not None
    gone = msgspec.structs.replace(old.kpi, value=None, status="not_applicable", reason="future")
    two[1].put_kpis([StoredKpi(kpi=gone, changed=NOW, updated=NOW)])
    [entry] = httpx.get(f"{url}/v1/index/kpis?cursor={place}").json()["values"]
    assert (entry["period"], entry["value"], entry["reason"]) == (gone.period, None, "future")
