"""Windows that are not kept: deleted without holding up what arrives, refused when they come late, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from adapters.sqlite.rejects import Rejects
from adapters.sqlite.store import SqliteStore
from adapters.store import Kept, Level
from cityvitals.operation.reconcile import accounts
from ingest.core import CityIngest, Ingest
from ingest.retention import MARGIN, Retention
from ingest.service import Service
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.partials import Partials, fold
from telemetry.periods import parse_period
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.ingest.samples import NoNetwork, city, windows

DAYS = 16
FIRST = 1_709_247_600_000  # 2024-03-01T00:00 in Lagos
NOW = FIRST + DAYS * DAY
KEEP = 5 * DAY
TOWN = City.model_validate(
    {
        "city": {"id": "aba", "name": "Aba", "country": "NG", "timezone": "Africa/Lagos", "population": 1000.0},
        "rules": {"period_capture": 0.0},
        "device": [
            {"id": "m1", "kind": "electricity_meter", "quantities": ["energy_total"], "interval_s": 900},
            {"id": "m2", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 900},
            {"id": "a1", "kind": "air_reference", "quantities": ["no2"], "interval_s": 900, "lat": 5.1, "lon": 7.4},
        ],
    }
)


class Line:
    """A city on a SQLite store, and the retention of its windows."""

    def __init__(self, folder: Path, keep: int | None = KEEP) -> None:
        self.store = SqliteStore(folder / "store.db")
        self.store._db.execute("PRAGMA synchronous=OFF")
        self.ingest = Ingest(self.store)
        self.city: CityIngest = self.ingest.add_city(TOWN, MINUTE)
        self.now = NOW
        self.retention = Retention(self.ingest, keep, lambda: self.now)

    def take(self, *rows: tuple[str, str, int, float]) -> int:
        """Rows (device, quantity, time, value)."""
        table = self.ingest.table
        ids = [table.id_of(Series("aba", device, quantity)) for device, quantity, _, _ in rows]
        found = Readings.of(ids, [t for _, _, t, _ in rows], [v for *_, v in rows])
        return self.ingest.take("aba", fold(found, MINUTE, table.modulus(found.series)))

    def delete(self) -> None:
        """As many steps as it takes."""
        for _ in range(200):
            self.retention.step()
            self.now += 1
        assert self.city.kept
        assert self.city.kept.deleted == self.city.kept.start - MARGIN

    def values(self) -> list[StoredKpi]:
        return self.store.kpis(KpiQuery("aba"))

    def rows(self, level: Level) -> list[tuple[str, int, str]]:
        """Series, start, and the sums as text, so that NaN is like NaN."""
        table = SeriesTable()
        parts = list(self.store.partials("aba", level, 0, NOW + DAY, table))
        found = Partials.concat(parts).latest()
        sums = zip(found.n.tolist(), found.sum.tolist(), found.last.tolist(), found.increase.tolist(), strict=True)
        columns = zip(found.series.tolist(), found.start.tolist(), sums, strict=True)
        return sorted((f"{table[s].device} {table[s].quantity}", t, repr(of)) for s, t, of in columns)

    def accounts(self) -> list[Any]:
        days = [f"2024-03-{day:02d}" for day in range(1, DAYS + 2)]
        return [accounts(self.store, "aba", parse_period(text, TOWN.zone)) for text in ("2024-03", "2024", *days)]


@contextmanager
def line(keep: int | None = KEEP) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        made = Line(Path(folder), keep)
        yield made
        made.store.close()


def quarter_hours(total: float = 5.0) -> list[tuple[str, str, int, float]]:
    times = range(FIRST, NOW, 15 * MINUTE)
    rows = [("m1", "energy_total", t + 7 * MINUTE, total + 0.25 * i) for i, t in enumerate(times)]
    rows += [("m2", "energy_delta", t, 1.0 + i % 3) for i, t in enumerate(times)]
    return rows + [("a1", "no2", t, 20.0 + i % 7) for i, t in enumerate(times)]


_TIMES = st.lists(st.integers(0, DAYS * 96 - 1), max_size=40, unique=True)
_REPORT = st.tuples(st.integers(0, DAYS * 24 - 1), st.integers(0, 60), st.integers(0, 60), st.booleans())


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    missing=st.tuples(_TIMES, _TIMES, _TIMES),
    reports=st.lists(_REPORT, max_size=12),
    late=st.lists(st.integers(0, DAYS * 96 - 1), min_size=1, max_size=6, unique=True),
    keep=st.integers(2, DAYS - 1),
)
def test_values_and_accounts_stay_and_late_windows_change_nothing(
    missing: tuple[list[int], ...], reports: list[tuple[int, int, int, bool]], late: list[int], keep: int
) -> None:
    with line(keep * DAY) as made:
        gone = [{FIRST + n * 15 * MINUTE for n in part} for part in missing]
        of = {"m1": gone[0], "m2": gone[1], "a1": gone[2]}
        made.take(*[row for row in quarter_hours() if row[2] // (15 * MINUTE) * 15 * MINUTE not in of[row[0]]])
        for hour, sent, lost, whole in reports:
            t = FIRST + hour * HOUR
            rows = [("m1", "ledger_received", t, float(max(sent - lost, 0)))]
            made.take(*rows, *([("m1", "ledger_sent", t, float(sent))] if whole else []))
        made.city.derive(made.now)
        values, hours, ledger = made.values(), made.rows("hour"), made.accounts()
        made.delete()
        limit = made.city.kept_from
        assert limit <= NOW - keep * DAY + DAY
        assert made.rows("hour") == hours
        assert made.accounts() == ledger
        old = [("m1", "energy_total", t, 1e6) for n in late if (t := FIRST + n * 15 * MINUTE + MINUTE) < limit]
        assert made.take(*old) == len(old)
        assert made.city.derive(made.now) == []
        again = Ingest(made.store).add_city(TOWN, MINUTE)
        again.rebuild_hours()
        again.touch_everything()
        changed = again.derive(made.now)
        assert [(v.kpi.identity, v.kpi.value) for v in changed] == []
        assert (made.values(), made.rows("hour"), made.accounts()) == (values, hours, ledger)


def test_only_older_windows_are_deleted_and_those_of_the_ledger_stay(tmp_path: Path) -> None:
    made = Line(tmp_path)
    made.take(*quarter_hours(), ("m1", "ledger_sent", FIRST, 5.0))
    hours = made.rows("hour")
    made.delete()
    assert made.city.kept_from == NOW - KEEP - DAY  # the midnight before the newest window less the time kept
    left = made.rows("window")
    assert left[:1] == [("a1 no2", NOW - KEEP - 2 * DAY, left[0][2])]
    assert [row[:2] for row in left if row[1] < NOW - KEEP - 2 * DAY] == [("m1 ledger_sent", FIRST)]
    assert made.rows("hour") == hours


def test_without_the_setting_nothing_is_deleted_or_refused(tmp_path: Path) -> None:
    made = Line(tmp_path, keep=None)
    made.take(*quarter_hours())
    before = made.rows("window")
    for _ in range(50):
        made.retention.step()
        made.now += HOUR
    assert made.rows("window") == before
    assert made.take(("m1", "energy_total", FIRST, 1.0)) == 0


def test_neither_a_clock_ahead_nor_a_silent_city_deletes_the_newest_windows(tmp_path: Path) -> None:
    made = Line(tmp_path)
    made.take(*quarter_hours())
    made.now = NOW + 4000 * DAY
    made.delete()
    assert made.city.kept_from == NOW - KEEP - DAY
    assert max(t for _, t, _ in made.rows("window")) == NOW - 8 * MINUTE


def test_the_time_that_is_refused_never_moves_back(tmp_path: Path) -> None:
    made = Line(tmp_path)
    made.take(*quarter_hours())
    made.delete()
    limit = made.city.kept_from
    Retention(made.ingest, KEEP * 2, lambda: NOW).step()
    again = Ingest(made.store).add_city(TOWN, MINUTE)
    assert again.kept_from == limit
    made.take(("m2", "energy_delta", NOW + 3 * DAY, 1.0))
    made.now = NOW + 3 * DAY
    made.delete()
    assert made.city.kept_from == limit + 4 * DAY  # the newest window was of the day before


def test_from_when_on_windows_are_kept_is_stored_before_the_first_is_deleted(tmp_path: Path) -> None:
    made, seen = Line(tmp_path), list[Kept | None]()
    made.take(*quarter_hours())
    delete = made.store.delete_partials

    def watched(city: str, level: Level, start: int, end: int, most: int) -> int:
        seen.append(made.store.kept(city, level))
        return delete(city, level, start, end, most)

    made.store.delete_partials = watched  # type: ignore[method-assign]
    made.delete()
    assert all(kept and kept.start == NOW - KEEP - DAY for kept in seen)
    assert len(seen) > 1


def test_a_store_that_refuses_to_delete_is_asked_again_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made, calls = Line(tmp_path), list[int]()
    made.take(*quarter_hours())

    def refused(city: str, level: Level, start: int, end: int, most: int) -> int:
        calls.append(made.now)
        raise Unavailable("no right to delete")

    made.store.delete_partials = refused  # type: ignore[method-assign]
    for _ in range(40):
        made.retention.step()
        made.now += MINUTE
    assert [t - NOW for t in calls] == [0, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE]
    assert len([m for m in caplog.messages if "no right to delete" in m]) == 1


def test_a_deletion_leaves_time_for_what_arrives(tmp_path: Path) -> None:
    made, calls = Line(tmp_path), list[int]()
    made.take(*quarter_hours())

    def slow(city: str, level: Level, start: int, end: int, most: int) -> int:
        calls.append(made.now)
        made.now += 100
        return start + HOUR

    made.store.delete_partials = slow  # type: ignore[method-assign]
    for _ in range(200):
        made.retention.step()
        made.now += 10
    assert {b - a for a, b in pairwise(calls)} == {500}


def test_a_start_without_any_window_has_the_days_of_the_hours(tmp_path: Path) -> None:
    made = Line(tmp_path)
    made.take(*quarter_hours())
    made.city.derive(made.now)
    end = NOW + DAY
    made.store.put_kept("aba", "window", Kept(end, end, NOW))
    while made.store.delete_partials("aba", "window", 0, end, 100_000) < end:
        pass
    assert made.rows("window") == []
    again = Ingest(made.store).add_city(TOWN, MINUTE)
    again.touch_everything()
    assert [v.kpi.identity for v in again.derive(made.now)] == []


def test_a_late_message_is_kept_with_its_reason_and_its_other_windows_are_stored(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    ingest = Ingest(store)
    served = ingest.add_city(city(), MINUTE)
    rejects = Rejects.open(tmp_path / "rejects.db")
    link: Any = NoNetwork([[windows(0, 20 * 24 * 60)], [windows(1, 20 * 24 * 60 + 1, number=7)]])
    now = NOW + 30 * DAY
    service = Service(ingest, link, rejects, lambda: now, keep_ms=7 * DAY)
    service.step(0)
    assert served.kept_from > 0
    service.step(0)
    assert [r.reason for r in rejects.newest()] == [
        "windows of a time whose windows are deleted already (store.keep_windows_days)"
    ]
    table = SeriesTable()
    found = Partials.concat(list(store.partials("aba", "window", 0, now, table)))
    assert len(found) == 2  # those of the newest day
    assert any(topic.endswith("/stored") and payload == b"[7]" for topic, payload, _ in link.published)


def test_hours_that_a_changed_file_makes_otherwise_stay_where_their_windows_are_deleted(tmp_path: Path) -> None:
    made = Line(tmp_path)
    made.take(*quarter_hours())
    made.city.derive(made.now)
    made.delete()
    before, limit = made.rows("hour"), made.city.kept_from
    plain = TOWN.model_dump(mode="json", exclude_defaults=True)
    plain["device"][0]["rollover"] = {"energy_total": 100.0}
    changed = Ingest(made.store).add_city(City.model_validate(plain), MINUTE)
    changed.derive(made.now)
    [said] = [s for s in changed.change_report if "cannot be derived again" in s]
    assert "the windows before 2024-03-10T23:00:00Z were deleted" in said
    assert [row for row in made.rows("hour") if row[1] < limit] == [row for row in before if row[1] < limit]
    assert np.isfinite([v.kpi.value or 0.0 for v in made.values()]).all()
