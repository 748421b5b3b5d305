"""Measures and forecasts over HTTP, on two years in which what happened is known."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from adapters.sqlite.store import SqliteStore
from telemetry.windows import DAY, HOUR
from tests.api.conftest import running
from tests.planning import long_town

PAIR = "site=street&reference=park&quantity=no2"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    made = long_town.stored(tmp_path_factory.mktemp("long"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(store: SqliteStore) -> Iterator[str]:
    with running(store, clock=lambda: long_town.END + HOUR // 2) as url:
        yield f"{url}/v1/cities/long/plan"


@pytest.fixture(scope="module")
def young(store: SqliteStore) -> Iterator[str]:
    """The same city when it had ten weeks of history."""
    with running(store, clock=lambda: long_town.START + 70 * DAY) as url:
        yield f"{url}/v1/cities/long/plan"


def test_a_known_effect_lies_within_its_interval(address: str) -> None:
    found = httpx.get(f"{address}/measure/effect?{PAIR}&after=2019-02..2019-11").raise_for_status().json()
    assert found["interval"]["low"] < long_town.LOWERED < found["interval"]["high"]
    assert found["interval"]["high"] - found["interval"]["low"] < 2
    assert found["is_effect"]
    assert found["label"] == "estimate: not measured"
    assert found["sentence"].startswith("The measure lowered the value")


def test_a_change_is_found_in_its_week(address: str) -> None:
    found = httpx.get(f"{address}/measure/change?{PAIR}&period=2018-06..2019-06").raise_for_status().json()
    assert found["week"] in ("2018-12-31", "2019-01-07")
    assert found["change"] == pytest.approx(long_town.LOWERED, abs=1)
    assert found["p"] < 0.01


def test_savings_beyond_another_building(address: str) -> None:
    query = "meter=school&reference=library&temperature=mast:temperature&before=2018&after=2019-01..2019-11"
    found = httpx.get(f"{address}/measure/savings?{query}", timeout=60).raise_for_status().json()
    assert found["published"]
    assert found["is_effect"]
    assert found["share"] == pytest.approx(long_town.SAVED, abs=0.03)


def test_a_forecast_is_shown_only_where_past_ones_beat_the_week_before(young: str) -> None:
    found = httpx.get(f"{young}/forecast", timeout=120).raise_for_status().json()
    assert found["label"] == "forecast: not measured"
    assert (found["unit"], len(found["hours"])) == ("kW", 48)
    ahead = range(1, 49)
    better = {n for s in found["scores"] if s["better"] for n in range(s["first"], s["last"] + 1)}
    assert {n for n, hour in zip(ahead, found["hours"], strict=True) if hour["value"] is not None} == better
    assert all(s["better"] == (s["model"] < s["naive"]) for s in found["scores"])
    assert better
    assert httpx.get(f"{young}/forecast", timeout=120).json() == found


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("measure/effect?site=street&quantity=no2&after=2019", "reference"),
        ("measure/effect?site=street&reference=street&quantity=no2&after=2019", "The reference is the site itself"),
        ("measure/effect?site=street&reference=lake&quantity=no2&after=2019", "'lake' does not measure no2"),
        ("measure/effect?site=street&reference=park&quantity=no2&after=2031", "Before and after overlap"),
        ("measure/effect?site=street&reference=park&quantity=no2&after=2031-01..2031-06", "week"),
        ("measure/change?site=street&reference=park&quantity=no2&period=2019-01", "16 are needed"),
        ("measure/savings?meter=school&reference=school&temperature=a:b&before=2018&after=2019", "the meter itself"),
        ("forecast?quantity=no2", "name the device"),
        ("forecast?quantity=nox&device=park", "no device measures nox"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(address: str, path: str, words: str) -> None:
    answer = httpx.get(f"{address}/{path}")
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_a_forecast_long_after_the_last_reading_is_refused(store: SqliteStore) -> None:
    with running(store, clock=lambda: long_town.END + 30 * DAY) as url:
        answer = httpx.get(f"{url}/v1/cities/long/plan/forecast?quantity=no2&device=park")
    assert answer.status_code == 422
    assert "would lie in the past" in answer.json()["detail"]
