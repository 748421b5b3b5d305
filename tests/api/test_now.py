"""/v1/cities/{city}/now, hours, areas, devices, limits and files: what the page's views are made from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openpyxl
import pytest

from adapters.sqlite.store import SqliteStore
from api.areas import Home, areas
from api.now.air import eight_hours
from api.now.electricity import together
from api.now.for_a_while import ForAWhile
from api.now.recent import seen
from api.shared_store import SharedStore
from api.tables import as_csv
from registry.city import City
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.api.city import CITY, NOW
from tests.api.conftest import running
from tests.page.city import FAULTY, HOME, ODD, SILENT, UNREGISTERED, seed_page

BASE = f"/v1/cities/{CITY}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    store = SqliteStore(tmp_path_factory.mktemp("now") / "now.db")
    seed_page(store)
    with running(store) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as made:
        yield made
    store.close()


def get(api: httpx.Client, path: str, **query: Any) -> Any:
    answer = api.get(BASE + path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_now_names_what_needs_a_look_worst_first(api: httpx.Client) -> None:
    found = get(api, "/now")
    assert [(a["kind"], a["device"]) for a in found["attention"]] == [
        ("silent", SILENT), ("fault", FAULTY), ("suspect", ODD), ("unregistered", UNREGISTERED),
    ]  # fmt: skip
    assert found["devices"] == {"total": 40, "ok": 39, "silent": 1, "unheard": 0}


def test_the_load_is_that_of_the_meters_and_a_running_quarter_is_left_out(api: httpx.Client) -> None:
    curve = get(api, "/now")["electricity"]["curve"]
    known = [v for v in curve["today"] if v is not None]
    assert len(known) == (14 * 60 + 15) // 15  # at 14:20 the quarter from 14:15 is still running
    assert all(v is not None for v in curve["before"])
    assert curve["before"][:20] == pytest.approx(curve["today"][:20], rel=0.05)  # nearly the same wave every day


def test_a_quarter_of_too_few_meters_is_no_load() -> None:
    nan = float("nan")
    kw = np.array([[1.0, 1.0, 1.0], [2.0, nan, 2.0], [3.0, 3.0, nan], [4.0, 4.0, nan]])
    assert together(kw).tolist()[:2] == [10.0, 8.0]
    assert np.isnan(together(kw)[2])


def test_bands_of_the_last_hours_are_those_of_the_worst_station(api: httpx.Client) -> None:
    hours = get(api, "/now")["air"]["hours"]
    assert len(hours) == 24
    assert {h["band"] for h in hours} <= {1, 2, 3, 4, 5, 6}
    assert max(h["band"] for h in hours) >= 3  # NO2 at three times 20 µg/m3 is over 60


def test_a_homes_meter_has_no_position_no_values_and_no_hours(api: httpx.Client) -> None:
    listed = {d["id"]: d for d in get(api, "/devices")["devices"]}
    for place in (listed[HOME], next(d for d in get(api, "")["devices"] if d["id"] == HOME)):
        assert (place["lat"], place["lon"]) == (None, None)
    assert listed[HOME]["newest"] == {}
    assert listed["electricity_meter-01"]["lat"] is not None  # of a street with ninety customers
    one = get(api, f"/devices/{HOME}")
    assert "lat" not in one["registry"]
    assert one["records"] == {}
    answer = api.get(f"{BASE}/devices/{HOME}/hours", params={"quantity": "power"})
    assert answer.status_code == 403
    assert HOME not in get(api, "/hours", quantity="power")["devices"]


def test_hours_of_a_device_stand_beside_the_median_of_the_others(api: httpx.Client) -> None:
    found = get(api, f"/devices/{ODD}/hours", quantity="no2")
    assert len(found["value"]) == len(found["others"]) == 7 * 24
    pairs = [(a, b) for a, b in zip(found["value"], found["others"], strict=True) if a is not None]
    assert sum(a for a, _ in pairs) / sum(b for _, b in pairs) > 3
    assert found["readings"][-2] == 4


def test_the_gap_of_a_silent_device_is_in_hours(api: httpx.Client) -> None:
    gap = get(api, f"/devices/{SILENT}")["gaps"][-1]
    assert gap["hours"] == 3
    assert gap["end"] == "2026-06-18T13:00:00Z"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/devices/air_reference-99", 404, "did you mean 'air_reference-09'?"),
        (f"/devices/{ODD}/hours?quantity=pm25", 422, "did you mean 'pm2_5'?"),
        (f"/devices/{ODD}/hours?quantity=no2&from=2020-01-01", 422, "400 days"),
        ("/hours?quantity=nothing", 422, "There is no quantity 'nothing'"),
        ("/kpis/EN:EN:AQ:1C/limits?kind=week", 422, "kind"),
        ("/indicators?format=pdf", 422, "format"),
    ],
)
def test_what_cannot_be_answered_is_said(api: httpx.Client, path: str, status: int, words: str) -> None:
    answer = api.get(BASE + path)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_limits_are_of_the_same_statistic(api: httpx.Client) -> None:
    year = get(api, "/kpis/EN:EN:AQ:1C/limits", part="pm2_5", kind="year")["limits"]
    assert [(x["id"], x["value"]) for x in year] == [("who_year", 5), ("eu_2030", 10), ("eu_year", 25), ("target", 5)]
    day = get(api, "/kpis/EN:EN:AQ:1C/limits", part="pm2_5", kind="24h")["limits"]
    assert [(x["id"], x["value"]) for x in day] == [("who_day", 15)]
    assert get(api, "/kpis/EN:EN:AQ:1C/limits", part="o3", kind="year")["limits"] == []
    assert get(api, "/kpis/EN:EN:AQ:1C/limits", part="pm2_5", kind="month")["limits"] == []


def test_indicators_as_files_have_the_rows_of_the_answer(api: httpx.Client) -> None:
    rows = get(api, "/indicators", period="2026-05")["indicators"]
    text = api.get(f"{BASE}/indicators", params={"period": "2026-05", "format": "csv"})
    assert text.headers["content-disposition"] == f'attachment; filename="{CITY}-indicators-2026-05.csv"'
    read = list(csv.DictReader(io.StringIO(text.text)))
    assert [r["code"] for r in read] == [r["code"] for r in rows]
    assert [r["value"] for r in read] == ["" if r["value"] is None else str(r["value"]) for r in rows]
    sheet = api.get(f"{BASE}/indicators", params={"period": "2026-05", "format": "xlsx"})
    [page] = openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets
    cells = list(page.values)
    assert len(cells) == len(rows) + 1
    at = cells[0].index("value")
    assert [c[at] or None for c in cells[1:]] == [r["value"] and pytest.approx(r["value"]) for r in rows]


def test_a_series_as_a_file_has_revisions(api: httpx.Client) -> None:
    text = api.get(f"{BASE}/kpis/EN:EN:AQ:1C/series", params={"kind": "month", "part": "no2", "format": "csv"}).text
    read = list(csv.DictReader(io.StringIO(text)))
    assert len(read) == 18
    assert {r["revision"] for r in read} == {"1"}
    assert {r["part"] for r in read} == {"no2"}


def test_text_that_a_spreadsheet_would_run_is_quoted() -> None:
    assert as_csv([{"a": "=1+1", "b": -1.5}], ["a", "b"]) == b"a,b\n'=1+1,-1.5\n"


def test_areas_hold_fifty_homes_or_are_not_shown() -> None:
    close = [Home(59.9001 + i * 1e-5, 10.701, 1.0, 0.5) for i in range(60)]
    far = [Home(61.0, 11.0 + i * 0.5, 1.0, 0.5) for i in range(10)]
    found, left = areas([*close, *far])
    assert [(a.homes, a.meters, a.kw) for a in found] == [(60, 60, 30.0)]
    assert left == 10
    a = found[0]
    assert all(a.south <= h.lat < a.north and a.west <= h.lon < a.east for h in close)


def test_the_power_of_an_area_is_not_shown_where_few_homes_are_known() -> None:
    homes = [Home(59.9001, 10.701, 1.0, 0.5 if i < 3 else None) for i in range(60)]
    assert areas(homes)[0][0].kw is None


def test_homes_spread_over_more_than_one_square_are_joined() -> None:
    homes = [Home(59.9001 + (i % 2) * 0.006, 10.701, 1.0, 1.0) for i in range(60)]
    found, left = areas(homes)
    assert [(a.homes, a.kw) for a in found] == [(60, 60.0)]
    assert left == 0


def test_a_city_may_be_asked_for_without_its_devices(api: httpx.Client) -> None:
    assert get(api, "", devices="false")["devices"] == []
    assert get(api, "")["n_devices"] == 40


def test_the_engine_of_now_is_made_once_a_minute(tmp_path: Path) -> None:
    from api.shared_store import SharedStore
    from registry.city import City

    store = SqliteStore(tmp_path / "recent.db")
    seed_page(store)
    city, shared, recent = City.model_validate(store.cities()[0].config), SharedStore(store), ForAWhile(seen, MINUTE)
    first = recent.of(city, shared, NOW)
    assert recent.of(city, shared, NOW + MINUTE - 1) is first
    assert recent.of(city, shared, NOW + MINUTE) is not first
    assert recent.of(city, shared, NOW - HOUR) is not first
    store.close()


def test_ozone_has_the_highest_of_eight_hours_by_hand(tmp_path: Path) -> None:
    """Means of eight hours with at least six; the highest of the last 24 h of each station; mean of the stations."""
    rng, table, store = np.random.default_rng(8), SeriesTable(), SqliteStore(tmp_path / "ozone.db")
    shared = SharedStore(store)
    ids = ("hill", "street")
    devices = [{"id": d, "kind": "air_reference", "quantities": ["o3"], "interval_s": 3600} for d in ids]
    numbers = {"id": "oz", "name": "Oz", "country": "GB", "timezone": "UTC"}
    city, end = City.model_validate({"city": numbers, "device": devices}), NOW // HOUR * HOUR
    values, best = {d: rng.uniform(20, 160, 48) for d in ids}, []
    values["hill"][30:33] = np.nan  # five of eight are too few
    for name, hours in values.items():
        times, there = end - 48 * HOUR + HOUR * np.arange(48, dtype=np.int64), ~np.isnan(hours)
        series = np.full(int(there.sum()), table.id_of(Series("oz", name, "o3")))
        store.put_partials("hour", fold(Readings.of(series, times[there], hours[there]), HOUR, series * np.nan), table)
        runs = [[h for h in hours[i - 8 : i] if not np.isnan(h)] for i in range(25, 49)]
        best.append(max(sum(run) / len(run) for run in runs if len(run) >= 6))
    found = eight_hours(seen(city, shared, NOW), NOW)
    assert found == pytest.approx(sum(best) / 2)
    assert eight_hours(seen(city, shared, NOW + 3 * DAY), NOW + 3 * DAY) is None
    store.close()
