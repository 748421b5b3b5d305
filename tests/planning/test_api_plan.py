"""/v1/cities/{city}/plan over HTTP: the invented town's load, and sentences for what cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from api import devices
from planning.charging.connection import Connection
from tests.api.conftest import running
from tests.planning import town

CLOCK = town.START + 20 * 86_400_000 + 7_200_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store, _, _ = town.stored(tmp_path_factory.mktemp("town"))
    with running(store, clock=lambda: CLOCK) as url:
        yield f"{url}/v1/cities/town/plan"
    store.close()


def test_what_fits_beside_a_meter(address: str) -> None:
    query = "charging?points=10&connection=63A&period=2019-01&meter=meter-0&meter=meter-1"
    found = httpx.get(f"{address}/{query}").raise_for_status().json()
    peak = (town.load(0) + town.load(1)).max() * 4
    assert found["base_peak_kw"] == pytest.approx(peak)
    assert found["p95_kw"] == pytest.approx(peak + 10 * 11 * 0.5)
    assert found["headroom_kw"] == pytest.approx(Connection(63).kw - found["p95_kw"])
    assert found["label"] == "planned: not measured"


def test_the_peak_of_the_running_month(address: str) -> None:
    found = httpx.get(f"{address}/peak?limit=50").raise_for_status().json()
    so_far = np.sum([town.load(i) for i in range(6)], axis=0)[: (CLOCK - town.START) // 900_000 + 4] * 4
    assert found["month"] == "2019-01"
    assert found["peak_kw"] == pytest.approx(so_far.max())
    assert found["left_kw"] == pytest.approx(50 - found["latest_kw"])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("charging?points=10&connection=many", "'many' is not a connection; write for example 63A"),
        ("charging?points=10&connection=0A", "more than 0 A"),
        ("charging?points=10&connection=63A&period=2019-01", "period and meter belong together"),
        ("charging?points=10&connection=63A&period=2019-01&meter=meter-9", "is not an electricity meter of 'town'"),
        ("charging?points=10&connection=63A&period=1990..2030&meter=meter-0", "longer than 400 days"),
        ("charging?points=10&connection=63A&period=2017-01&meter=meter-0", "has quarters of an hour in 2017-01"),
        ("charging?points=10&connection=1A&period=2019-01&meter=meter-0", "The building alone reaches"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(address: str, query: str, words: str) -> None:
    answer = httpx.get(f"{address}/{query}")
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_numbers_outside_of_their_range_are_refused(address: str) -> None:
    assert httpx.get(f"{address}/charging?points=0&connection=63A").status_code == 422
    assert httpx.get(f"{address}/charging?points=10&connection=63A&pionts=3").status_code == 422


def test_the_load_of_a_household_is_withheld_and_that_of_many_is_not(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "MANY", 3)
    plan = "charging?points=10&connection=63A&period=2019-01"
    for query in (f"{plan}&meter=meter-0", f"{plan}&meter=meter-0&meter=meter-1", "peak?meter=meter-0"):
        answer = httpx.get(f"{address}/{query}")
        assert (answer.status_code, "may be the meter of a household" in answer.json()["detail"]) == (403, True)
    posted = {"points": 6, "connection": "63A", "period": "2019-01", "meters": ["meter-0"]}
    assert httpx.post(f"{address}/charging", json=posted).status_code == 403
    load = httpx.get(f"{address}/forecast?quantity=energy_delta&device=meter-0")
    assert load.status_code == 403
    assert httpx.get(f"{address}/{plan}&meter=meter-0&meter=meter-1&meter=meter-2").status_code == 200
    assert httpx.get(f"{address}/peak").status_code == 200
