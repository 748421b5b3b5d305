"""Copies of feeds: 50 cities behind a real API, two operators, revisions and restarts; feeds that cannot be used."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import feeds as http
from adapters.feeds import Answer
from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord, Store
from api.server import ApiServer
from api.settings import ApiSettings
from reporting.collect.collect import Cursors, collect
from reporting.collect.feeds_file import Feed, read_feeds
from reporting.collect.page import HEADER
from reporting.evidence.keys import new_pair
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.windows import MINUTE
from tests.processes import wait_for
from tests.reporting.city import run

YEAR_MS = 31_536_000_000
CODES = ("EN:E:E:2C", "EC:ICT:ES:1C", "LOCAL:E:METERED", "EC:I:ES:1C")


def city_ids(n: int = 50) -> list[str]:
    return [f"city{i:02}" for i in range(n)]


def stored(city: str, code: str, year: int, value: float | None, revision: int = 1, updated: int = 1) -> StoredKpi:
    start = 1_514_764_800_000 + (year - 2018) * YEAR_MS
    kpi = KpiValue(
        city=city, code=code, part="", period=str(year), kind="year", start=start, end=start + YEAR_MS, value=value,
        unit="%", coverage=0.75, status="final", n_devices=3, revision=revision, method="m/1",
        notes="ünïcode; a note", numerator=value, denominator=None,
    )  # fmt: skip
    return StoredKpi(kpi=kpi, changed=updated, previous=None if revision == 1 else 1.5, updated=updated)


def fill(store: Store, cities: list[str]) -> None:
    for city in cities:
        config = {"id": city, "name": f"City {city}", "country": "NO", "timezone": "UTC", "population": 1000.0,
                  "extra": {"licence": "CC-BY-4.0"}}  # fmt: skip
        store.put_city(CityRecord(city, {"city": config}, MINUTE))
        store.put_kpis([stored(city, code, year, 0.1 * year) for code in CODES for year in range(2018, 2024)])


@contextmanager
def serving(store: Store, key: Path | None = None) -> Iterator[str]:
    server = ApiServer(ApiSettings(port=0, signing_key=key), store, lambda: 1_760_000_000_000)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the API to start")
        yield server.url
    finally:
        server.stop()
        thread.join(15)


def rows(store: Store, cities: list[str]) -> dict[str, list[StoredKpi]]:
    return {c: store.kpis(KpiQuery(c)) for c in cities}


class Killed(Exception):
    """The process ends here."""


class Fragile:
    """A store whose process is killed after some writes."""

    def __init__(self, store: Store, writes: int) -> None:
        self._store, self._left = store, writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_kpis(self, values: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed
        self._store.put_kpis(values)
        if self._left == 0:
            raise Killed  # stored, and the cursor is not


def test_two_operators_copy_50_cities_while_values_are_revised_and_processes_restart(tmp_path: Path) -> None:
    chance, cities = random.Random(18), city_ids()
    key = tmp_path / "city.key"
    name = new_pair(key)
    source, writing = SqliteStore(tmp_path / "source.db"), SqliteStore(tmp_path / "source.db")
    fill(writing, cities)
    copies = [SqliteStore(tmp_path / f"copy{i}.db") for i in range(2)]
    cursors = [tmp_path / f"copy{i}.cursors" for i in range(2)]
    restarts = 0
    with serving(source, key) as url:
        feed = Feed(url=url, key=name)
        for step in range(4):
            for city in chance.sample(cities, 20):
                code, year = chance.choice(CODES), chance.randrange(2018, 2025)
                value = None if chance.random() < 0.2 else chance.random()
                writing.put_kpis([stored(city, code, year, value, step + 2, 10 + step)])
            for copy, path in zip(copies, cursors, strict=True):
                try:
                    collect(Fragile(copy, chance.randrange(1, 30)), [feed], Cursors(path), http.get)
                except Killed:
                    restarts += 1
        for copy, path in zip(copies, cursors, strict=True):
            assert collect(copy, [feed], Cursors(path), http.get).wrong == []
            assert collect(copy, [feed], Cursors(path), http.get).values == 0
    print(f"{restarts} restarts, {sum(map(len, rows(source, cities).values()))} values of {len(cities)} cities")
    assert restarts > 5
    for copy in copies:
        assert rows(copy, cities) == rows(source, cities)
        assert {r.id: r.config["city"]["extra"]["licence"] for r in copy.cities()} == dict.fromkeys(cities, "CC-BY-4.0")


@pytest.fixture
def source(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(tmp_path / "one.db")
    fill(made, city_ids(2))
    return made


def changed(change: Any) -> Any:
    """`get` with the body or the headers of feed pages changed."""

    def get(base: str, path: str, query: dict[str, str], token: str = "") -> Answer:
        answer = http.get(base, path, query, token)
        return change(answer) if path == "/v1/index/kpis" else answer

    return get


def edited(field: str, value: Any, of_value: bool = False) -> Any:
    def change(answer: Answer) -> Answer:
        body = json.loads(answer.body)
        (body["values"][-1] if of_value else body)[field] = value
        return answer._replace(body=json.dumps(body).encode())

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (edited("version", 0), "schema version 0, older than 1"),
        (edited("version", 2), "schema version 2, newer than 1"),
        (edited("code", "EN:XX", of_value=True), "value 24 of the page does not fit: there is no KPI 'EN:XX'"),
        (edited("city", "other", of_value=True), "it is of 'other', not of 'city00'"),
        (edited("value", "high", of_value=True), "value 24 of the page does not fit"),
        (lambda a: a._replace(body=a.body[:-9]), "not a page of a feed"),
    ],
)
def test_a_page_that_does_not_fit_is_not_stored_at_all(
    source: SqliteStore, tmp_path: Path, change: Any, sentence: str
) -> None:
    copy = SqliteStore(tmp_path / "copy.db")
    with serving(source) as url:
        result = collect(copy, [Feed(url=url)], Cursors(tmp_path / "cursors"), changed(change))
        assert sentence in result.wrong[0]
        assert rows(copy, city_ids(2)) == {"city00": [], "city01": []}
        assert collect(copy, [Feed(url=url)], Cursors(tmp_path / "cursors"), http.get).values == 48


def test_a_wrong_signature_is_found_and_nothing_is_stored(source: SqliteStore, tmp_path: Path) -> None:
    key, other = tmp_path / "a.key", tmp_path / "b.key"
    name, foreign = new_pair(key), new_pair(other)
    copy = SqliteStore(tmp_path / "copy.db")

    def tried(feed: Feed, get: Any = http.get) -> str:
        return "".join(collect(copy, [feed], Cursors(tmp_path / "cursors"), get).wrong)

    with serving(source, key) as url:
        assert "is signed with the key" in tried(Feed(url=url, key=foreign))
        assert "the signature is not of this page" in tried(Feed(url=url, key=name), changed(edited("more", True)))
        short = changed(lambda a: a._replace(headers={**a.headers, HEADER: "ed25519 xx"}))
        assert "is not `ed25519 PUBLIC_KEY SIGNATURE`" in tried(Feed(url=url, key=name), short)
    with serving(source) as url:
        assert "the page is not signed" in tried(Feed(url=url, key=name))
    assert rows(copy, city_ids(2)) == {"city00": [], "city01": []}


def test_two_feeds_with_one_city_are_an_error_and_a_dead_feed_stops_no_other(
    source: SqliteStore, tmp_path: Path
) -> None:
    copy, cursors = SqliteStore(tmp_path / "copy.db"), Cursors(tmp_path / "cursors")
    with serving(source) as url, serving(SqliteStore(tmp_path / "one.db")) as again:
        with pytest.raises(UsageError, match="'city00' is a city of"):
            collect(copy, [Feed(url=url), Feed(url=again)], cursors, http.get)
        dead = Feed(url="http://127.0.0.1:9")
        result = collect(copy, [dead, Feed(url=url, cities=["city01"])], Cursors(tmp_path / "new"), http.get)
        assert result.cities == 1
        assert "does not answer" in result.wrong[0]
        assert (
            "it has no city 'elsewhere'"
            in collect(copy, [Feed(url=url, cities=["elsewhere"])], cursors, http.get).wrong[0]
        )


def test_the_command_copies_and_the_workbench_works_on_the_copy(source: SqliteStore, tmp_path: Path) -> None:
    with serving(source) as url:
        (tmp_path / "feeds.toml").write_text(f'[[feed]]\nurl = "{url}"\nregion = "north"\n')
        text = run("index", "collect", tmp_path / "feeds.toml", "--store", f"sqlite:///{tmp_path}/index.db")
        assert text == "48 values of 2 cities copied.\n"
    shown = run("region", "show", "--store", f"sqlite:///{tmp_path}/index.db", "--period", "2020", "--region", "north",
                "--format", "json")  # fmt: skip
    [line] = [p for p in msgspec.json.decode(shown) if p["code"] == "EC:I:ES:1C"]
    assert line["reported"] == 2


def test_the_metadata_of_the_feeds_is_dcat(source: SqliteStore) -> None:
    with serving(source) as url:
        found = json.loads(http.get(url, "/v1/index/catalogue", {}).body)
        one = found["dcat:dataset"][0]
        assert one["dct:temporal"]["dcat:startDate"]["@value"] == "2018-01-01"
        assert one["dcat:distribution"][0]["dct:license"] == "CC-BY-4.0"
        assert one["dcat:distribution"][0]["dcat:accessURL"]["@id"] == f"{url}/v1/index/kpis?city=city00"
    assert found["@type"] == "dcat:Catalog"


def test_a_key_that_cannot_be_one_is_found_before_any_request(tmp_path: Path) -> None:
    def get(*_: Any) -> Answer:
        raise AssertionError("a feed was asked")

    copy, feeds = SqliteStore(tmp_path / "c.db"), [Feed(url="http://x"), Feed(url="http://y", key="sha256:12")]
    with pytest.raises(UsageError, match="is not a fingerprint"):
        collect(copy, feeds, Cursors(tmp_path / "cursors"), get)
    (tmp_path / "feeds.toml").write_text('[[feed]]\nurl = "ftp://x"\n')
    with pytest.raises(UsageError, match=r"line 2.*'ftp://x' is not the address of a feed"):
        read_feeds(tmp_path / "feeds.toml")


def test_a_file_of_feeds_that_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text('[[feed]]\nurl = "http://x"\nkeys = "sha256:1"\n')
    with pytest.raises(UsageError, match=r"feeds\.toml, line 3.*did you mean 'key'"):
        read_feeds(tmp_path / "feeds.toml")
