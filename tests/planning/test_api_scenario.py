"""Scenarios over HTTP: the answer of the calculation, nothing stored or published, and sentences for what is wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from adapters.sqlite.store import SqliteStore
from api.problems import Left
from api.state import Turns
from planning import scenario
from planning.measured import parse_span
from planning.scenario import Measured, Scenario, run
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiQuery
from telemetry.periods import iso
from tests.api.conftest import running
from tests.planning import town
from tests.processes import wait_for

CARS = {"kind": "ev_share", "share": 0.5, "kw": 11.0, "least_kwh": 1.0}
SAVING = {"kind": "saving", "percent": 10}


def sessions_csv() -> str:
    s = town.sessions()
    rows = zip(s.start.tolist(), s.end.tolist(), s.kwh.tolist(), s.user.tolist(), strict=True)
    lines = [f"{kwh},{iso(a)},{iso(b)},garage,{s.users[u]}" for a, b, kwh, u in rows]
    return "\n".join(["energy_kwh,start,end,device,user_hash", *lines, "5,never,,garage,x"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    made = town.stored(tmp_path_factory.mktemp("town"))[0]
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(store: SqliteStore) -> Iterator[str]:
    with running(store, clock=lambda: town.NOW) as url:
        yield url


def asked(address: str, *transforms: dict[str, Any], **more: Any) -> httpx.Response:
    body = {"period": "2019-01", "transforms": list(transforms), "draws": 20, **more}
    return httpx.post(f"{address}/v1/cities/town/plan/scenario", json=body, timeout=60)


def test_the_answer_is_that_of_the_calculation(address: str, store: SqliteStore) -> None:
    found = asked(address, CARS, SAVING, name="half", seed=3, sessions_csv=sessions_csv()).raise_for_status().json()
    city = City.model_validate(town.config())
    measured = Measured(city, store, parse_span("2019-01", city), town.NOW, town.sessions())
    same = run(Scenario(name="half", transforms=(CARS, SAVING), draws=20, seed=3), measured)
    rejected = found.pop("rejected_rows")
    assert found == msgspec.json.decode(msgspec.json.encode(same))
    assert len(rejected) == 1
    assert rejected[0].startswith(f"line {len(town.sessions()) + 2}: ")
    peak = next(v for v in found["values"] if v["code"] == "LOCAL:E:PEAK")
    assert peak["baseline"] < peak["p5"] < peak["p95"]
    assert found["label"].startswith("scenario: planned")


def test_nothing_is_stored_and_the_feed_stays_as_it_is(address: str, store: SqliteStore) -> None:
    def state() -> tuple[bytes, Any, Any]:
        feed = httpx.get(f"{address}/v1/index/changes").json()
        return msgspec.json.encode(store.kpis(KpiQuery("town"))), feed, httpx.get(f"{address}/v1/cities/town").json()

    before = state()
    assert before[1]
    for answer in (
        asked(address, SAVING),
        asked(address, CARS, sessions_csv=sessions_csv()),
        asked(address, SAVING, {"kind": "battery", "kwh": 3}),  # fails at the second transform
    ):
        assert answer.status_code in (200, 422)
        assert state() == before


def test_the_kinds_of_changes_are_listed_with_their_options(address: str) -> None:
    found = httpx.get(f"{address}/v1/cities/town/plan/transforms").raise_for_status().json()["transforms"]
    cars = next(t for t in found if t["kind"] == "ev_share")
    assert {"name": "share", "required": True, "default": None} in cars["options"]
    assert {"name": "kw", "required": False, "default": 11.0} in cars["options"]
    assert "electric car" in cars["text"]


@pytest.mark.parametrize(
    ("transforms", "more", "words"),
    [
        ([{"kind": "ev_shar"}], {}, "did you mean 'ev_share'"),
        ([CARS], {}, "needs recorded sessions"),
        ([CARS], {"sessions_csv": "a,b\n1,2\n"}, "the header has no start, end, device, energy_kwh, user_hash"),
        ([CARS], {"sessions_csv": "start,end,device,energy_kwh,user_hash\nx,,,1,a\n"}, "no charging session that can"),
        ([CARS], {"sessions_csv": "start,end,device,energy_kwh,user_hash\n2018-01-05T18:00:00Z,,g,9,\n"}, "No user of"),
        ([SAVING], {"period": "2017-01"}, "no measured value of 'town' in 2017-01"),
        ([SAVING], {"period": "soon"}, "soon"),
        ([SAVING], {"period": "2019-02..2019-01"}, "ends before it starts"),
        ([SAVING], {"period": "1970..2069"}, "more than this server calculates"),
        ([SAVING], {"draws": 0}, "draws"),
        ([SAVING], {"draw": 5}, "draw"),
        ([{"kind": "pv", "kwp": 0, "measured_kwp": 2}], {}, "kwp"),
    ],
)
def test_what_is_wrong_is_a_sentence(address: str, transforms: list[Any], more: dict[str, Any], words: str) -> None:
    answer = asked(address, *transforms, **more)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_one_plan_is_calculated_at_a_time(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Turns()
    monkeypatch.setattr(Turns, "wait_s", 0.05)
    with held.turn(), pytest.raises(Unavailable, match="Another plan is being calculated"), held.turn():
        pass
    with held.turn():  # given back
        pass
    assert asked(address, SAVING).status_code == 200


def test_only_a_few_wait_for_their_turn_and_those_who_left_give_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turns, "most_waiting", 0)
    with pytest.raises(Unavailable, match="Another plan is being calculated"), Turns().turn():
        pass
    monkeypatch.undo()
    held = Turns()
    for _ in range(2 * Turns.most_waiting):
        with pytest.raises(Left), held.turn(lambda: True):
            pass
    with held.turn():
        assert held.lock.locked()


def test_a_plan_whose_client_left_while_it_waited_is_not_calculated_nor_counted(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, free, waiting, seen = threading.Event(), threading.Event(), list[str](), list[str]()
    real, wait = scenario.run, Turns._wait

    def slow(given: Scenario, measured: Measured) -> Any:
        began.set()
        assert free.wait(60)
        seen.append(given.name)
        return real(given, measured)

    def noted(turns: Turns, left: Callable[[], bool]) -> None:
        waiting.append("waits")
        try:
            wait(turns, left)
        except Left:
            waiting.append("left")
            raise

    def count() -> float:
        lines = httpx.get(f"{address}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if "_requests_total{" in line and "plan/scenario" in line)

    monkeypatch.setattr(scenario, "run", slow)
    monkeypatch.setattr(Turns, "_wait", noted)
    before = count()
    first = threading.Thread(target=lambda: asked(address, SAVING, name="first"))
    first.start()
    assert began.wait(60)
    host, _, port = address.removeprefix("http://").partition(":")
    body = msgspec.json.encode({"period": "2019-01", "transforms": [SAVING], "draws": 20, "name": "second"})
    with socket.create_connection((host, int(port))) as client:
        head = f"POST /v1/cities/town/plan/scenario HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        wait_for(lambda: waiting.count("waits") == 2, what="the second to wait")
    wait_for(lambda: waiting[-1] == "left", what="the server to see that it left")
    free.set()
    first.join()
    assert asked(address, SAVING, name="third").status_code == 200
    assert seen == ["first", "third"]
    assert count() == before + 2
