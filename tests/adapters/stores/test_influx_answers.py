"""Whatever an InfluxDB answers: what it can hold is stored, what it cannot is set aside with a reason."""

from __future__ import annotations

import pytest

from adapters.influx.http import Connection
from adapters.influx.url import parse
from telemetry.errors import CityVitalsError, Unavailable
from tests.adapters.stores.strict import Strict, strict
from tests.adapters.stores.test_influx_faults import FORMS

RETENTION, LARGEST = 1000, 900


def connection(server: Strict, form: str, monkeypatch: pytest.MonkeyPatch, token: str = "secret") -> Connection:
    monkeypatch.setenv("CITYVITALS__STORE__TOKEN", token)
    return Connection(parse(form.format(server.port)), timeout=5.0)


def written(made: Connection, lines: list[str]) -> list[float]:
    """Write as ingest does: again and again while the server is unavailable; the pauses it asked for."""
    asked = []
    for _ in range(20):
        try:
            made.write("\n".join(lines))
        except Unavailable as error:
            asked.append(error.retry_after_s)
        else:
            return asked
    raise AssertionError("never stored")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("form", FORMS)
def test_what_a_server_can_hold_is_stored_and_the_rest_is_set_aside(
    form: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with strict(seed, RETENTION, LARGEST) as server:
        made = connection(server, form, monkeypatch)
        lines = [f"window,city=aba,device=d{i} n={i}i,sum=1.5 {970 + i}" for i in range(60)]
        huge = f'city,city=aba text="{"x" * LARGEST}" 5000'
        asked = written(made, [*lines, huge])
        aside = made.take_refused()
        assert server.lines == set(lines[30:])
        assert {line for line, _ in aside} == {*lines[:30], huge}
        assert {why.rpartition(": ")[2][:20] for _, why in aside} == {"points beyond retent", "request entity too l"}
        assert {429, 503, 500, 408, 413} <= set(server.answers)
        assert 3.0 in asked
        made.close()


@pytest.mark.parametrize("form", FORMS)
def test_a_line_that_cannot_be_parsed_is_an_error_and_not_a_retry(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with strict(1, RETENTION, LARGEST) as server:
        made = connection(server, form, monkeypatch)
        with pytest.raises(CityVitalsError, match="unable to parse") as caught:
            written(made, ["window,city=aba"])
        assert not isinstance(caught.value, Unavailable)
        made.close()


def test_a_wrong_token_and_a_wrong_bucket_are_errors_that_name_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with strict(1, RETENTION, LARGEST) as server:
        made = connection(server, FORMS[1], monkeypatch, token="another")
        with pytest.raises(CityVitalsError, match="CITYVITALS__STORE__TOKEN"):
            written(made, ["a v=1 5000"])
        made.close()
        other = connection(server, FORMS[1].replace("/city", "/other"), monkeypatch)
        with pytest.raises(CityVitalsError, match="not found"):
            written(other, ["a v=1 5000"])
        other.close()
