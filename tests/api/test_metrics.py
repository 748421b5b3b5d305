"""/metrics in the Prometheus text format."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import httpx
from starlette.types import Message, Receive, Scope, Send

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from api.metrics import CountRequests, Requests, family
from registry.city import City
from reporting.figures.reported import Reported
from reporting.report import report_figures
from tests.api.city import CITY, NOW, seed
from tests.api.stores import shaky

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z]+="([^"\\\n]|\\.)*",?)*\})? -?[0-9.e+]+$')


def test_every_line_is_a_comment_or_a_sample(client: httpx.Client) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert [line for line in lines if not line.startswith(("# HELP ", "# TYPE ")) and not SAMPLE.match(line)] == []


def test_requests_are_counted_by_route_not_by_path(client: httpx.Client) -> None:
    client.get(f"/v1/cities/{CITY}")
    client.get("/v1/cities/no-such-city")
    text = client.get("/metrics").text
    assert 'cityvitals_api_requests_total{method="GET",route="/v1/cities/{city}",status="200"}' in text
    assert 'cityvitals_api_requests_total{method="GET",route="/v1/cities/{city}",status="404"}' in text
    assert "no-such-city" not in text


def test_freshness_is_the_time_a_value_last_changed(client: httpx.Client) -> None:
    line = f'cityvitals_kpi_updated_timestamp_seconds{{city="{CITY}",code="EN:EN:AQ:1C",part="pm2_5"}}'
    assert f"{line} {(NOW - 4000) // 1000}\n" in client.get("/metrics").text


def test_a_city_that_only_reports_has_no_freshness(tmp_path: Path, serving: Callable[..., str]) -> None:
    """Of a country's hundreds of cities most report by hand; their yearly figures would fill megabytes."""
    store = SqliteStore(tmp_path / "country.db")
    seed(store)
    plain = {"city": {"id": "village", "name": "Village", "country": "NO", "timezone": "Europe/Oslo"}}
    store.put_city(CityRecord("village", plain, 60_000))
    figure = Reported(code="EC:ICT:ICT:1C", year=2025, value=50.0, quality="survey", source="office")
    report_figures(store, City.model_validate(plain), [figure], "f", NOW)
    text = httpx.get(f"{serving(store)}/metrics").text
    assert 'city="village"' not in text
    assert f'cityvitals_kpi_updated_timestamp_seconds{{city="{CITY}"' in text


def test_a_store_that_is_away_is_a_measure_not_an_error(tmp_path: Path, serving: Callable[..., str]) -> None:
    store = shaky(tmp_path)
    url = serving(store)
    assert "cityvitals_store_up 1\n" in httpx.get(f"{url}/metrics").text
    store.away = True
    answer = httpx.get(f"{url}/metrics")
    assert answer.status_code == 200
    assert "cityvitals_store_up 0\n" in answer.text


def test_label_values_are_escaped() -> None:
    assert family("m", "gauge", "A measure.", [({"a": 'x"y\\z\n'}, 1)]).endswith('m{a="x\\"y\\\\z\\n"} 1\n')


def test_methods_that_a_client_invents_do_not_fill_the_memory() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 405, "headers": []})

    async def nothing(*_: object) -> Message:
        raise AssertionError

    async def dropped(_: Message) -> None:
        pass

    requests = Requests()
    counting = CountRequests(app, requests)
    for n in range(1000):
        asyncio.run(counting({"type": "http", "method": f"GET{n}", "path": "/"}, nothing, dropped))
    assert dict(requests.count) == {("other", "other", "405"): 1000}
