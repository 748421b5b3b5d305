"""/v1/cities/{city}/kpis and .../series."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from telemetry.kpi_value import as_json
from telemetry.periods import calendar_period
from tests.api.city import CITY, SHAPES, TODAY, ZONE, kpi

KPIS = f"/v1/cities/{CITY}/kpis"
AIR = "EN:EN:AQ:1C"
FIELDS = [
    "city", "code", "part", "period", "start", "end", "value", "unit",
    "coverage", "status", "n_devices", "revision", "method", "notes", "reason", "numerator", "denominator",
]  # fmt: skip


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_without_a_period_the_newest_value_of_every_kind_comes(client: httpx.Client) -> None:
    values = get(client, KPIS)
    periods = {v["period"] for v in values}
    assert periods == {"2026", "2026-Q2", "2026-06", "2026-06-18", "24h", "365d"}
    assert len(values) == 6 * 11
    assert {(v["code"], v["part"]) for v in values} == set(SHAPES)


def test_a_value_has_the_fields_of_the_contract_in_their_order(client: httpx.Client) -> None:
    [value] = get(client, KPIS, period="2026-06-18", code="LOCAL:E:METERED")
    assert list(value) == FIELDS
    assert value["start"] == "2026-06-17T22:00:00Z"
    assert value["end"] == "2026-06-18T22:00:00Z"
    assert value == as_json(kpi("LOCAL:E:METERED", "", calendar_period("day", TODAY, ZONE)))


@pytest.mark.parametrize("period", ["2025", "2025-Q3", "2025-07", "2025-07-01", "24h", "365d"])
def test_every_form_of_period_gives_that_period(client: httpx.Client, period: str) -> None:
    values = get(client, KPIS, period=period)
    assert len(values) == 11
    assert {v["period"] for v in values} == {period}


def test_a_period_without_values_is_an_empty_list(client: httpx.Client) -> None:
    assert get(client, KPIS, period="1999") == []


def test_codes_filter_and_may_be_written_as_people_write_them(client: httpx.Client) -> None:
    values = get(client, KPIS, period="2025", code=["en: en: aq: 1c", "LOCAL:EV:SESSIONS"])
    assert [(v["code"], v["part"]) for v in values] == [
        (AIR, "no2"), (AIR, "o3"), (AIR, "pm10"), (AIR, "pm2_5"), (AIR, "so2"), ("LOCAL:EV:SESSIONS", ""),
    ]  # fmt: skip


def test_a_value_under_the_coverage_rule_is_null_and_says_why(client: httpx.Client) -> None:
    [value] = [v for v in get(client, KPIS, period="365d", code=AIR) if v["part"] == "so2"]
    assert value["value"] is None
    assert value["status"] == "insufficient"
    assert value["coverage"] == 0.61
    assert "61.04 %" in value["notes"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"period": "2018-13"}, "'2018-13' is not a valid period; use 2018, 2018-Q3"),
        ({"period": "yesterday"}, "'yesterday' is not a valid period"),
        ({"code": "EN:EN:AQ:1X"}, "'EN:EN:AQ:1X' is not a KPI code; did you mean 'EN:EN:AQ:1C'?"),
        ({"code": "?"}, "'?' is not a KPI code; /v1/catalogue lists all codes."),
        ({"perod": "2018"}, "query.perod: unknown parameter"),
    ],
)
def test_a_wrong_query_is_refused_with_a_sentence(client: httpx.Client, query: dict[str, str], sentence: str) -> None:
    answer = client.get(KPIS, params=query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert sentence in answer.json()["detail"]


def series(client: httpx.Client, code: str, **query: Any) -> Any:
    return get(client, f"{KPIS}/{code}/series", **query)["series"]


def test_a_series_has_columns_per_part_oldest_first(client: httpx.Client) -> None:
    parts = series(client, AIR, kind="month")
    assert [p["part"] for p in parts] == ["no2", "o3", "pm10", "pm2_5", "so2"]
    for part in parts:
        assert {len(column) for name, column in part.items() if name != "part"} == {18}
        assert part["period"][0] == "2025-01"
        assert part["period"] == sorted(part["period"])


def test_a_series_can_be_cut_to_a_time_range_and_a_part(client: httpx.Client) -> None:
    query = {"kind": "day", "part": "no2", "from": "2026-05-01", "to": "2026-05-04"}
    [part] = series(client, AIR, **query)
    assert part["period"] == ["2026-05-01", "2026-05-02", "2026-05-03"]
    query |= {"from": "2026-05-01T22:00:00Z", "to": "2026-05-03T00:00:00+02:00"}
    assert series(client, AIR, **query)[0]["period"] == ["2026-05-02"]


def test_days_without_a_begin_go_back_three_months_from_the_end(client: httpx.Client) -> None:
    [part] = series(client, "LOCAL:E:METERED", to="2026-06-01")
    assert len(part["period"]) == 92
    assert part["period"][-1] == "2026-05-31"


@pytest.mark.parametrize("kind", ["quarter", "year"])
def test_the_longer_kinds_have_series_too(client: httpx.Client, kind: str) -> None:
    [part] = series(client, "LOCAL:EV:ENERGY", kind=kind)
    assert part["period"][-1] == {"quarter": "2026-Q2", "year": "2026"}[kind]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"kind": "week"}, "query.kind"),
        ({"from": "soon"}, "from='soon' is not a valid time; use 2018-07-01"),
        ({"to": "2018-07-01T00:00:00"}, "to='2018-07-01T00:00:00' has no time zone"),
        ({"to": "2018-02-30"}, "to='2018-02-30' is not a valid time"),
    ],
)
def test_a_wrong_time_range_is_refused_with_a_sentence(
    client: httpx.Client, query: dict[str, str], sentence: str
) -> None:
    answer = client.get(f"{KPIS}/{AIR}/series", params=query)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def test_a_series_of_an_unknown_code_is_not_found(client: httpx.Client) -> None:
    answer = client.get(f"{KPIS}/LOCAL:EV:ENERGIES/series")
    assert answer.status_code == 404
    assert "did you mean 'LOCAL:EV:ENERGY'?" in answer.json()["detail"]


def test_days_without_any_limit_are_the_newest_three_months(client: httpx.Client) -> None:
    [part] = series(client, "LOCAL:E:METERED")
    assert len(part["period"]) == 92
    assert part["period"][-1] == "2026-06-18"
