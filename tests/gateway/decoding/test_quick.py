"""The short way of a mapping gives what its long way gives, for the payloads of every family and for broken ones."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.decoding import quick
from gateway.decoding.decoded import Decoded
from gateway.decoding.quick import Quick, Stamp
from gateway.devices import FOLDER, families
from gateway.routes import Routes
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.errors import Rejected
from telemetry.stamps import read_stamp
from tests.fuzz.mutate import payloads
from tests.gateway.devices.test_families import ARRIVAL, Family, payload_of


def of_family(name: str) -> Iterator[dict[str, Any]]:
    yield from tomllib.loads((FOLDER / "cases" / f"{name}.toml").read_text(encoding="utf-8"))["case"]


def plain(found: Decoded) -> Any:
    parts = [found, *found.more]
    return [(p.device, sorted(p.rows, key=repr), p.problems, p.by_arrival, p.records, sorted(p.unasked)) for p in parts]


def decoded(family: Family, case: dict[str, Any], payload: bytes) -> Any:
    try:
        return plain(family.decode(case["topic"], payload, case.get("door", "mqtt"), read_stamp(ARRIVAL)))
    except Rejected as reason:
        return str(reason)


@pytest.mark.parametrize("name", families())
def test_both_ways_give_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[Any]] = []
    for long_only in (False, True):
        if long_only:
            monkeypatch.setattr(Quick, "rows", lambda *_: None)
        results = []
        for case in of_family(name):
            family, rng = Family(name, case.get("source", {})), Random(name)
            for payload in [payload_of(case), *payloads([payload_of(case)], rng, 60)]:
                results.append(decoded(family, case, payload))
        found.append(results)
    assert list(map(repr, found[0])) == list(map(repr, found[1]))  # of nan too


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, plain_rows = [], Quick.rows

    def rows(self: Quick, record: dict[str, Any], unasked: list[str], stamp: Stamp) -> Any:
        answer = plain_rows(self, record, unasked, stamp)
        taken.append(answer is not None)
        return answer

    monkeypatch.setattr(Quick, "rows", rows)
    for name in families():
        for case in of_family(name):
            family = Family(name, case.get("source", {}))
            decoded(family, case, payload_of(case))
    print(f"the short way was enough for {sum(taken)} of {len(taken)} records")
    assert sum(taken) > len(taken) // 3


def test_sets_of_names_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that invents names: what is remembered of them has a limit, and the readings are right."""
    monkeypatch.setattr(quick, "_MOST_NAMES", 50)
    family, arrival = Family("flat_json", {}), read_stamp(ARRIVAL)
    for i in range(200):
        payload = b'{"time": "2026-11-20T10:00:00Z", "power": %d, "invented_%d": 1, "%s": 2}' % (i, i, b"x" * 300)
        found = family.decode("flat/m1", payload, "mqtt", arrival)
        assert [(q, v) for q, _, v, *_ in found.rows] == [("power", float(i))]
    [(_, _, reading)] = [known for known in family._known if known[2] is not None][:1]
    assert reading is not None
    [mapper] = reading._mappers.values()
    root = mapper._quick.root
    assert sum(map(len, root.plans)) <= 50


@pytest.mark.parametrize("name", families())
def test_the_shortest_way_gives_values_and_time_of_the_long_way(name: str) -> None:
    for case in of_family(name):
        settings = SourceSettings.model_validate({"family": name, "city": "town", **case.get("source", {})})
        made, arrival = made_sources([settings], zone_of=lambda _: ZoneInfo("Europe/Berlin")), read_stamp(ARRIVAL)
        route = Routes(made).find(case["topic"])
        plain = route.plain.of(payload_of(case)) if route.plain and route.plain.of else route.plain
        short = plain.read(payload_of(case), arrival) if plain else None
        if short is not None:
            shape, values, dated, _ = short
            t = arrival if dated is None else dated
            meant = zip(shape.entries, values, strict=True)
            rows = [(*entry, float(value), t) for entry, value in meant if value is not None]
            found = route.decode(payload_of(case), arrival, route.options)
            assert sorted(rows) == sorted(row[:4] for row in found.rows), case["name"]
            assert shape.unasked == found.unasked, case["name"]
            assert plain is None or found.device in (plain.device, None), case["name"]


def test_a_time_that_may_stand_in_two_places_is_read() -> None:
    settings = SourceSettings.model_validate({"family": "purpleair", "city": "town"})
    route = Routes(made_sources([settings])).find("purpleair/p1")
    assert route.plain is None or route.plain.read(b'{"time":"2026-11-20T10:00:00Z","pm2_5_atm":5}', 0) is None
