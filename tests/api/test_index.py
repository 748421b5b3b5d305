"""/v1/index/kpis: every change once, in order, a page at a time; and the client that keeps a copy."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.index_feed import Place, from_cursor, page, to_cursor
from api.shared_store import SharedStore
from examples.index_client import IndexClient
from reporting.figures.reported import Reported, as_value
from telemetry.kpi_value import StoredKpi
from telemetry.periods import calendar_period
from tests.api.city import CITY, NOW, TODAY, ZONE, config, kpi, seed

FEED = "/v1/index/kpis"


def get(client: httpx.Client, **query: Any) -> Any:
    answer = client.get(FEED, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def day(number: int, updated: int, value: float = 1.0, revision: int = 1) -> StoredKpi:
    """The metered energy of a day of June 2026."""
    period = calendar_period("day", TODAY.replace(day=number), ZONE)
    return StoredKpi(
        kpi=kpi("LOCAL:E:METERED", "", period, value=value, revision=revision), changed=updated, updated=updated
    )


class Feed:
    """A running API over a store to which the test adds; its clock stands well after all changes."""

    def __init__(self, serving: Callable[..., str], path: Path) -> None:
        self.store = SqliteStore(path / "feed.db")
        record = config()
        record["city"]["extra"] = {"licence": "CC-BY-4.0"}
        self.store.put_city(CityRecord(CITY, record, 60_000))
        self.now = NOW
        self.url = serving(self.store, clock=lambda: self.now)

    def put(self, *rows: StoredKpi) -> None:
        self.store.put_kpis(rows)


@pytest.fixture
def feed(serving: Callable[..., str], tmp_path: Path) -> Feed:
    return Feed(serving, tmp_path)


@pytest.fixture
def reader(feed: Feed) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=feed.url, trust_env=False) as made:
        yield made


def test_pages_put_together_are_every_value_once(client: httpx.Client, seeded: Path) -> None:
    found, cursor = [], None
    while True:
        got = get(client, limit=1500, **({"cursor": cursor} if cursor else {}))
        found += got["values"]
        cursor = got["cursor"]
        if not got["more"]:
            break
    with closing(sqlite3.connect(seeded)) as db:
        [[count]] = db.execute("SELECT COUNT(*) FROM kpi").fetchall()
    keys = {(v["city"], v["code"], v["part"], v["kind"], v["start"]) for v in found}
    assert len(found) == len(keys) == count


def test_a_value_comes_with_revision_previous_licence_and_times(feed: Feed, reader: httpx.Client) -> None:
    row = day(1, NOW - 60_000, value=8.5, revision=2)
    feed.put(msgspec.structs.replace(row, previous=8.0))
    got = get(reader)
    [value] = got["values"]
    assert (got["version"], got["licences"], got["more"]) == (1, {CITY: "CC-BY-4.0"}, False)
    assert (value["revision"], value["value"], value["previous"], value["origin"]) == (2, 8.5, 8.0, "derived")
    assert value["kind"] == "day"
    assert value["updated"] == "2026-06-18T12:19:00Z"


def test_a_reported_figure_is_marked_as_reported(feed: Feed, reader: httpx.Client) -> None:
    figure = Reported(code="SC:SH:SI:2C", year=2025, value=0.27, quality="survey", source="office")
    feed.put(StoredKpi(kpi=as_value(figure, CITY, ZONE), changed=NOW - 60_000, updated=NOW - 60_000))
    [value] = get(reader)["values"]
    assert (value["origin"], value["method"]) == ("reported", "reported/survey")


def test_behind_the_cursor_comes_only_what_has_changed(feed: Feed, reader: httpx.Client) -> None:
    feed.put(day(1, NOW - 60_000), day(2, NOW - 60_000))
    first = get(reader)
    feed.put(day(2, NOW - 30_000, value=2.0))
    again = get(reader, cursor=first["cursor"])
    assert [(v["period"], v["value"]) for v in again["values"]] == [("2026-06-02", 2.0)]
    assert get(reader, cursor=again["cursor"])["values"] == []


def test_since_is_a_time_after_which(feed: Feed, reader: httpx.Client) -> None:
    feed.put(day(1, NOW - 60_000), day(2, NOW - 30_000))
    assert [v["period"] for v in get(reader, since="2026-06-18T12:19:00Z")["values"]] == ["2026-06-02"]


@pytest.mark.parametrize("ahead", [3_600_000, 0, -3_600_000])
def test_no_value_is_missed_whatever_the_clock_showed_when_it_was_derived(
    feed: Feed, reader: httpx.Client, ahead: int
) -> None:
    """A clock that was ahead for an hour, or a derivation that began early and was stored late."""
    feed.put(day(1, NOW + 3_600_000))
    first = get(reader)
    feed.put(day(2, NOW + ahead))
    assert [v["period"] for v in get(reader, cursor=first["cursor"])["values"]] == ["2026-06-02"]


def test_a_cursor_of_before_changes_were_numbered_goes_on_at_its_time(feed: Feed, reader: httpx.Client) -> None:
    feed.put(day(1, NOW - 60_000), day(2, NOW - 30_000))
    old = base64.urlsafe_b64encode(msgspec.json.encode((NOW - 40_000, CITY, "", "", "", 0))).decode().rstrip("=")
    assert [v["period"] for v in get(reader, cursor=old)["values"]] == ["2026-06-02"]


def test_a_page_reads_as_many_rows_as_it_has(tmp_path: Path) -> None:
    """Not every row behind the cursor: a first copy of years would be quadratic. Steps of SQLite are counted."""
    store = SqliteStore(tmp_path / "steps.db")
    rows = [kpi("LOCAL:E:METERED", "", period) for period in _days(3000)]
    store.put_kpis(StoredKpi(kpi=row, changed=NOW, updated=NOW) for row in rows)
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    store._db.set_progress_handler(count, 100)
    taken = []
    for after in (0, 1500, 2800):
        steps[0] = 0
        assert len(store.changes(CITY, after, 100)) == 100
        taken.append(steps[0])
    store.close()
    assert max(taken) < 2 * min(taken) < 1000


def test_a_time_that_leaves_out_nearly_all_is_not_looked_for_row_by_row(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "since.db")
    rows = [kpi("LOCAL:E:METERED", "", period) for period in _days(3000)]
    store.put_kpis(StoredKpi(kpi=row, changed=NOW, updated=NOW + (n in (2500, 2600))) for n, row in enumerate(rows))
    shared, asked = SharedStore(store), list[int]()

    def changes(city: str, after: int, limit: int, kinds: Any = None) -> Any:
        asked.append(after)
        return store.changes(city, after, limit, kinds)

    shared.changes = changes  # type: ignore[method-assign]
    first = page(shared, [CITY, "other"], None, Place(since=NOW), 1)
    second = page(shared, [CITY, "other"], None, first.place, 1)
    third = page(shared, [CITY, "other"], None, second.place, 1)
    store.close()
    assert [[r.kpi.start for r in p.rows] for p in (first, second, third)] == [
        [rows[2500].start],
        [rows[2600].start],
        [],
    ]
    assert [p.more for p in (first, second, third)] == [True, False, False]
    assert len(asked) < 12


def _days(count: int) -> Iterator[Any]:
    return (calendar_period("day", TODAY - timedelta(days=number), ZONE) for number in range(count))


def test_kinds_and_cities_narrow_the_feed(client: httpx.Client) -> None:
    assert {v["kind"] for v in get(client, kind=["year", "month"])["values"]} == {"year", "month"}
    assert get(client, city=CITY, limit=3)["values"] == get(client, limit=3)["values"]


def test_nothing_new_is_not_sent_again(feed: Feed, reader: httpx.Client) -> None:
    feed.put(day(1, NOW - 60_000))
    cursor = get(reader)["cursor"]
    tag = reader.get(FEED, params={"cursor": cursor}).headers["etag"]
    assert reader.get(FEED, params={"cursor": cursor}, headers={"If-None-Match": tag}).status_code == 304


def test_the_next_page_is_a_link(client: httpx.Client) -> None:
    answer = client.get(FEED, params={"limit": 2, "kind": "year"})
    link = answer.headers["link"]
    assert link.endswith('; rel="next"')
    following = client.get(link[1 : link.index(">")])
    assert following.json()["values"] == get(client, limit=2, kind="year", cursor=answer.json()["cursor"])["values"]


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"cursor": "!!"}, 422, "the cursor is not valid"),
        ({"cursor": "WzFd"}, 422, "the cursor is not valid"),
        ({"since": "yesterday"}, 422, "since='yesterday' is not a valid time"),
        ({"since": "2026-06-18", "cursor": to_cursor(Place())}, 422, "since or cursor, not both"),
        ({"city": "lindhafen"}, 404, "did you mean 'lindhaven'"),
        ({"limit": 0}, 422, "limit"),
        ({"kind": "week"}, 422, "kind"),
        ({"page": 2}, 422, "unknown parameter"),
    ],
)
def test_a_wrong_query_is_a_problem(client: httpx.Client, query: dict[str, Any], status: int, sentence: str) -> None:
    answer = client.get(FEED, params=query)
    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 17), st.integers(-3, 3)), max_size=25), st.integers(1, 5), st.integers(-4, 4))
def test_any_page_size_gives_the_same_order(changes: list[tuple[int, int]], limit: int, since: int) -> None:
    store = SqliteStore(Path(":memory:"))
    store.put_city(CityRecord(CITY, config(), 60_000))
    for number, second in changes:
        store.put_kpis([day(number, NOW - 60_000 - 1000 * second)])
    after = NOW - 60_000 + 1000 * since if since > -4 else -1
    shared, place, found = SharedStore(store), Place(since=after), []
    while (got := page(shared, [CITY], None, place, limit)).rows:
        found += got.rows
        place = from_cursor(to_cursor(got.place))
    newest = {number: NOW - 60_000 - 1000 * second for number, second in changes}
    last = [n for n in list(dict.fromkeys(n for n, _ in reversed(changes)))[::-1] if newest[n] > after]
    assert [row.kpi.period for row in found] == [f"2026-06-{number:02}" for number in last]
    store.close()


def test_the_example_client_keeps_a_copy_by_polling_only_changes(feed: Feed, tmp_path: Path) -> None:
    seed(feed.store)
    count = len(feed.store.kpis_changed(CITY, 0))
    path = str(tmp_path / "copy.db")
    with closing(IndexClient(feed.url, path)) as client:
        assert client.poll() == count
        assert client.poll() == 0
        feed.put(day(1, NOW - 1, value=77.0, revision=2))
        assert client.poll() == 1
    with closing(IndexClient(feed.url, path)) as client:  # a client that comes back goes on where it was
        assert client.poll() == 0
        copy = client.values()
    assert len(copy) == count
    [changed] = [v for v in copy if v["revision"] == 2]
    assert (changed["period"], changed["value"], changed["licence"]) == ("2026-06-01", 77.0, None)


def test_the_example_client_may_keep_years_only(feed: Feed, tmp_path: Path) -> None:
    seed(feed.store)
    with closing(IndexClient(feed.url, str(tmp_path / "years.db"), ["year"])) as client:
        client.poll()
        assert {v["kind"] for v in client.values()} == {"year"}
