"""URLs of InfluxDB stores and their credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.influx.url import Target, authorization, parse
from adapters.secrets import secret
from adapters.stores import open_store
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery
from tests.adapters.stores.answers import canned
from tests.adapters.stores.samples import kpi


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("influxdb://db:8086/city", Target("http://db:8086", "city", None)),
        ("influxdb://db/city", Target("http://db:8086", "city", None)),
        ("influxdbs://db:443/city", Target("https://db:443", "city", None)),
        ("http://db:8086/city", Target("http://db:8086", "city", None)),
        ("https://db:8086/city/", Target("https://db:8086", "city", None)),
        ("influxdb://[::1]:8086/city", Target("http://[::1]:8086", "city", None)),
        ("influxdb://[::1]/city", Target("http://[::1]:8086", "city", None)),
        ("influxdb://db:/city", Target("http://db:8086", "city", None)),
        ("influxdb2://db:8086/city%20data?org=my%20town", Target("http://db:8086", "city data", "my town", 2)),
        ("influxdb3://db/city", Target("http://db:8181", "city", None, 3)),
        ("influxdb3s://db:8086/my-city", Target("https://db:8086", "my-city", None, 3)),
        ("influxdb2s://db:8086/city?org=o", Target("https://db:8086", "city", "o", 2)),
    ],
)
def test_a_url_names_server_and_database(url: str, target: Target) -> None:
    assert parse(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "influxdb://db:8086", "influxdb://db:8086/", "influxdb:///city", "influxdb4://db/city", "influxdb:city",
        "influxdb2://db:8086/city", "influxdb2://db:8086/city?org=", "influxdb://db:x/city",
        "influxdb://db:99999/city", "http://db/a/b", "http://",
        "influxdb://me:secret@db/city", "influxdb3://db:8181", "influxdb3://db/my%20city", "influxdb3://db/-city",
    ],
)  # fmt: skip
def test_another_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError, match=r"; (use influxdb|use letters|set them)"):
        open_store(url)


def test_a_refused_url_does_not_show_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        parse("influxdb://me:geheim@db/city")
    assert "geheim" not in str(caught.value)


def test_opening_a_store_asks_nobody() -> None:
    with canned() as server:
        open_store(f"influxdb://127.0.0.1:{server.port}/city").close()
        assert server.asked == []


def test_the_token_goes_with_writes_and_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVITALS__STORE__TOKEN", "abc")
    with canned(204) as server:
        store = open_store(f"influxdb2://127.0.0.1:{server.port}/city?org=my%20town")
        store.put_kpis([kpi()])
        assert store.kpis(KpiQuery("aba")) == []
    assert {headers["Authorization"] for _, _, headers in server.asked} == {"Token abc"}
    assert "/api/v2/write?org=my+town&bucket=city&precision=ms" in [path for path, _, _ in server.asked]


def test_user_and_password_go_with_1x(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYVITALS__STORE__USERNAME", "me")
    monkeypatch.setenv("CITYVITALS__STORE__PASSWORD", "geheim")
    assert authorization(parse("influxdb://db/city")) == {"Authorization": "Basic bWU6Z2VoZWlt"}


def test_without_credentials_none_are_sent() -> None:
    assert authorization(parse("influxdb://db/city")) == {} == authorization(parse("influxdb2://db/city?org=o"))


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    assert secret("TOKEN", {"CITYVITALS__STORE__TOKEN_FILE": str(tmp_path / "token")}) == "abc"


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"TOKEN_FILE names .*/none, which cannot be read"):
        secret("TOKEN", {"CITYVITALS__STORE__TOKEN_FILE": str(tmp_path / "none")})
