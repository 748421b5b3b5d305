"""Every query of every panel, put to a real InfluxDB as Grafana would put it, is answered and brings rows."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.influx.store import InfluxStore
from adapters.newest_rows import slot
from adapters.points import Newest, Point
from cityvitals.clock import now_ms
from grafana.colours import TROUBLE_WORDS
from grafana.definitions.region import INDICATORS
from grafana.influx import total
from ingest.fleet import TROUBLE, Fleet
from registry.city import City
from telemetry.windows import DAY, HOUR, MINUTE
from tests.grafana.asking import Asked, asked, dashboards, replaced
from tests.grafana.sample import CITY, DIED, END, NOW, RECENT, START, fill
from tests.servers import InfluxDB

# Where an empty answer is the good one, or (targets) the sample city has none.
MAY_BE_EMPTY = {
    "air: Suspect stations A": "no station of the sample is suspect",
    "fleet: Stored and in no KPI A": "every device of the sample is registered",
    "kpis: Productivity A": "sensors give none of these",
    "kpis: Education, health A": "sensors give none of these",
    "kpis: Safety, housing A": "sensors give none of these",
    # In the sample the wind blows from north and south-west only.
    **{f"air: ${{quantity:text}} by wind, from {letter}": "no hour has that wind" for letter in "BCDEGH"},
    "air: Notes on daily means, 28 days A": "nothing has to be said about its days",
}


@pytest.fixture(scope="module")
def database(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = influxdb.create("grafana")
    url = f"influxdb://127.0.0.1:{influxdb.port}/{name}"
    fill(url, tmp_path_factory.mktemp("sample"))
    rejected = Point("reject", {"city": CITY, "reason": "not a windows message"}, {"n": 2}, NOW)
    event = Point("event", {"city": CITY, "kind": "restart", "about": "ingest"}, {"text": "ingest started"}, NOW)
    InfluxStore.from_url(url).points.put([rejected, event])
    return name


def rows_of(influxdb: InfluxDB, database: str, question: Asked) -> list[dict[str, Any]]:
    try:
        return influxdb.query(question.text, database)
    except Exception as error:
        raise AssertionError(f"{question.name}: {error}: {question.text}") from error


def test_every_panel_has_something_to_show(influxdb: InfluxDB, database: str) -> None:
    empty = []
    for question in asked(NOW, CITY):
        rows = rows_of(influxdb, database, question)
        if not any(value is not None for row in rows for name, value in row.items() if name != "time"):
            empty.append(question)
    # Of the guideline lines only that of the chosen pollutant answers.
    missing = [q.name for q in empty if not q.alias.startswith("WHO day") and q.name not in MAY_BE_EMPTY]
    assert missing == []
    assert sum(q.alias.startswith("WHO day") for q in empty) == 4


@pytest.mark.parametrize("city", ["gone", "o'clock", 'a"b', "x\\", "x'; DROP MEASUREMENT kpi; --"])
def test_a_city_that_is_gone_or_has_quotes_gives_no_rows_and_no_error(
    influxdb: InfluxDB, database: str, city: str
) -> None:
    for question in asked(NOW, city):
        rows = rows_of(influxdb, database, question)
        values = [v for row in rows for k, v in row.items() if k not in ("time", "city") and v not in (None, 0)]
        assert not values or "region" in question.dashboard, (question.name, rows[:2])


def test_a_store_without_rows_answers_nothing_and_no_error(influxdb: InfluxDB) -> None:
    name = influxdb.create("grafana_empty")
    for question in asked(NOW, CITY):
        assert not rows_of(influxdb, name, question), question.name


def panel(board: str, title: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [p for p in dashboards()[board]["panels"] if p["title"] == title]
    assert len(found) == 1
    return found[0]


def answer(
    influxdb: InfluxDB, database: str, board: str, title: str, start: int = START, end: int = END, letter: int = 0
) -> list[dict[str, Any]]:
    shown = panel(board, title)
    least = shown.get("interval", "1m")
    return influxdb.query(replaced(shown["targets"][letter]["query"], start, end, CITY, least=least), database)


def test_a_station_dead_for_months_is_a_gap_and_not_a_line(influxdb: InfluxDB, database: str) -> None:
    rows = answer(influxdb, database, "air", "${quantity:text} by station", DIED - DAY, DIED + 2 * DAY)
    dead = [row for row in rows if row["site"] == "south"]
    measured = [row["m"] is not None for row in dead]
    assert True in measured
    assert False in measured, "a dead station must have nulls, or the line is drawn through"
    assert measured == sorted(measured, reverse=True)
    assert panel("air", "${quantity:text} by station")["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False


def test_a_device_silent_for_months_or_never_heard_needs_attention(influxdb: InfluxDB, database: str) -> None:
    rows = {row["device"]: row for row in answer(influxdb, database, "city-now", "Needs attention")}
    assert TROUBLE[int(rows["air-dead"]["trouble"])] == "silent for a day"
    assert rows["air-dead"]["since"] == DIED - HOUR
    assert TROUBLE[int(rows["air-never"]["trouble"])] == "never heard"
    assert rows["air-never"].get("since") is None
    assert TROUBLE[int(rows["charger-1"]["trouble"])] == "connector fault"
    assert "air-1" not in rows or TROUBLE[int(rows["air-1"]["trouble"])] == "records missing"


def test_the_words_for_troubles_are_those_of_ingest() -> None:
    assert list(TROUBLE_WORDS) == list(range(len(TROUBLE)))
    short = {
        "none": "ok",
        "flash ring filling": "ring filling",
        "connector fault": "fault",
        "silent for a day": "silent > 1 day",
    }
    assert [word for word, _ in TROUBLE_WORDS.values()] == [short.get(word, word) for word in TROUBLE]


def test_the_city_and_its_time_zone_can_be_chosen(influxdb: InfluxDB, database: str) -> None:
    variables = {v["name"]: v for v in dashboards()["kpis"]["templating"]["list"]}
    assert [row["value"] for row in influxdb.query(variables["city"]["query"], database)] == [CITY]
    zone = influxdb.query(replaced(variables["tz"]["query"], START, END, CITY), database)
    assert [row["timezone"] for row in zone] == ["Europe/London"]


def test_registers_and_intervals_show_the_energy_that_was_metered(influxdb: InfluxDB, database: str) -> None:
    since, until = RECENT // DAY * DAY + 2 * DAY, END // DAY * DAY - DAY
    rows = answer(influxdb, database, "energy", "Energy by day, five weeks", since, until - 1)
    days = [row["kWh"] for row in rows if row["kWh"] is not None][2:-1]
    # 10, 11, 12, 10 ... kWh an hour, and a register that moves on by 1 kWh an hour.
    assert days == [pytest.approx(24 * 11 + 24)] * len(days)
    assert len(days) > 20


@pytest.mark.parametrize(("letter", "days"), [(1, 1), (2, 7)])
def test_a_curve_of_earlier_is_drawn_at_the_time_of_today(
    influxdb: InfluxDB, database: str, letter: int, days: int
) -> None:
    start = END - 12 * HOUR
    rows = answer(influxdb, database, "energy", "Power today, yesterday and a week ago", start, END, letter)
    hourly = replaced(total("hour", "power", "time(1h)"), END - 10 * DAY, END, CITY)
    measured = {row["time"]: row["v"] for row in influxdb.query(hourly, database)}
    name = ("yesterday", "a week ago")[letter - 1]
    moved = {row["time"]: row[name] for row in rows if row["time"] >= start}
    assert len(moved) >= 12
    assert moved == {t: pytest.approx(measured[t - days * DAY]) for t in moved}


def test_the_index_is_the_worst_band_of_any_pollutant(influxdb: InfluxDB, database: str) -> None:
    rows = answer(influxdb, database, "city-now", "Air index of the worst station, 48 hours", END - DAY, END)
    # PM2.5 of 10 to 12 µg/m³ is fair, NO2 of 10 to 12 good or fair.
    assert {row["index"] for row in rows if row["index"] is not None} == {2}


def test_air_by_wind_is_the_mean_of_the_hours_with_that_wind(influxdb: InfluxDB, database: str) -> None:
    found = {}
    for letter, query in enumerate(panel("air", "${quantity:text} by wind, from")["targets"]):
        rows = answer(influxdb, database, "air", "${quantity:text} by wind, from", RECENT, END - 1, letter)
        found[query["alias"]] = [row["m"] for row in rows if row["m"] is not None]
    assert {name: means for name, means in found.items() if means} == {
        "N": [pytest.approx(12)],
        "SW": [pytest.approx(10.5)],
    }


def test_rejects_of_gateways_are_counted_by_kind(influxdb: InfluxDB, database: str) -> None:
    rows = answer(influxdb, database, "pipeline", "Rejected by gateways", NOW - HOUR, NOW)
    assert [row["quantity"] for row in rows] == ["gw_rejected_unit"]
    assert rows[0]["n"] > 0


def test_a_gateway_that_stopped_for_twenty_minutes_is_a_gap_on_the_boards(influxdb: InfluxDB) -> None:
    name = influxdb.create("grafana_stopped")
    lines = []
    begin = END - 2 * HOUR
    for minute in range(120):
        if not 50 <= minute < 70:
            tags = f"city={CITY},device=gateway-1,quantity=gw_lag,site=-"
            t = begin + minute * MINUTE
            lines.append(f"window,{tags} n=6i,sum=6,max=1,last=1,last_t={t}i {t}")
            lines.append(f"window,{tags.replace('gw_lag', 'gw_stored')} n=6i,last={minute + 1} {t}")
            lines.append(
                f"window,city={CITY},device=m1,quantity=power,site=-  n=6i,sum=6000,max=1000,last=1000 {t}".replace(
                    "  ", " "
                )
            )
    influxdb.write(name, "\n".join(lines))
    rows = answer(influxdb, name, "pipeline", "Oldest waiting window by gateway", begin, END - 1)
    reported = [row["lag"] is not None for row in rows]
    assert len(rows) == 120
    assert reported == [not 50 <= minute < 70 for minute in range(120)]
    rows = answer(influxdb, name, "pipeline", "What the gateways stored", begin, END - 1, 1)
    counted = [minute for minute, row in enumerate(rows) if row["d"] is not None]
    assert (len(rows), counted) == (120, [*range(1, 50), *range(70, 120)])
    assert (
        panel("pipeline", "Oldest waiting window by gateway")["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False
    )


def test_a_device_silent_since_last_year_is_listed_with_its_age(influxdb: InfluxDB) -> None:
    """Nothing of it lies in the range of any panel; the row that ingest keeps of it does not depend on a range."""
    name, now = influxdb.create("grafana_last_year"), now_ms()  # this test's own: the query asks for the last minutes
    store = InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}")
    device = {"id": "air-old", "site": "Quay", "kind": "air_lowcost", "quantities": ["pm2_5"]}
    city = City.model_validate(
        {"city": {"id": CITY, "name": "S", "country": "GB", "timezone": "Europe/London"}, "device": [device]}
    )
    heard = now - 400 * DAY
    fleet = Fleet(city, [Newest("air-old", "pm2_5", heard, 7.0, 1)])
    fleet.judge(now)
    store.points.put([*fleet.rows(), fleet.summary(now)])
    [row] = answer(influxdb, name, "fleet", "Every device, the worst first", now - DAY, now)
    assert (row["device"], row["site"], row["heard"]) == ("air-old", "Quay", heard)
    assert TROUBLE[int(row["trouble"])] == "silent for a day"
    columns = {
        o["matcher"]["options"]: o["properties"]
        for o in panel("fleet", "Every device, the worst first")["fieldConfig"]["overrides"]
    }
    assert {"id": "unit", "value": "dateTimeFromNow"} in columns["heard"], "it is shown as an age"
    [silent] = answer(influxdb, name, "city-now", "Silent devices", now - DAY, now)
    assert 1 in silent.values()


def test_the_history_of_rolling_values_can_be_chosen(influxdb: InfluxDB) -> None:
    name = influxdb.create("grafana_rolling")
    tags = {"city": CITY, "code": "LOCAL:AQ:EAQI", "part": "-", "period": "24h"}
    points = [Point("kpi", tags, {"value": float(n), "valued": 1, "verdict": 0}, NOW - n * HOUR) for n in range(1, 6)]
    InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}").points.put(points)
    variables = {v["name"]: v for v in dashboards()["kpis"]["templating"]["list"]}
    assert {"24h", "365d"} <= {option["value"] for option in variables["step"]["options"]}
    chosen = {"${step:singlequote}": "'24h'", "${code:singlequote}": "'LOCAL:AQ:EAQI'"}
    query = panel("kpis", "${code:text}")["targets"][0]["query"]
    rows = influxdb.query(replaced(query, NOW - DAY, NOW, CITY, chosen), name)
    assert [row["value"] for row in rows] == [5, 4, 3, 2, 1]


def test_the_region_shows_shares_on_target_and_quartiles(influxdb: InfluxDB) -> None:
    name = influxdb.create("grafana_region")
    points = []
    for number, (value, verdict) in enumerate(((4.0, 2), (8.0, 1), (12.0, 1), (40.0, 1))):
        city, fine = f"c{number}", {"code": "EN:EN:AQ:1C", "part": "pm2_5"}
        water = {"code": "EN:EN:WS:1C", "part": "-"}
        points += [
            Point("kpi", {"city": city, "period": "year", **fine}, {"value": value, "valued": 1}, START),
            Point("newest", fine, {"city": city, "value": value, "valued": 1}, slot(city)),
            Point("figure", {"city": city, **fine}, {"valued": 1, "verdict": verdict}, 0),
            Point("figure", {"city": city, **water}, {"valued": 1, "verdict": 2}, 0),
        ]
    InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}").points.put(points)
    columns = {
        o["matcher"]["options"]: o["properties"][0]["value"]
        for o in panel("region", "On target, by sub-dimension")["fieldConfig"]["overrides"]
    }
    rows = answer(influxdb, name, "region", "On target, by sub-dimension")
    shares = {
        row["city"]: {columns[k]: v for k, v in row.items() if k in columns and k != "city" and v is not None}
        for row in rows
    }
    assert shares == {"c0": {"Environment": 100}, **{f"c{n}": {"Environment": 50} for n in (1, 2, 3)}}
    spread = {(row["code"], row["part"]): row for row in answer(influxdb, name, "region", "The region by indicator")}
    air = spread["EN:EN:AQ:1C", "pm2_5"]
    assert [air[k] for k in ("n", "min", "low", "median", "high", "max")] == [4, 4, 4, 10, 12, 40]
    by_city = answer(influxdb, name, "region", "${code:text}, ${part:text}, by city")
    assert {row["city"]: row["v"] for row in by_city} == {"c0": 4, "c1": 8, "c2": 12, "c3": 40}


def test_the_region_shows_what_cities_report_beside_what_sensors_gave(influxdb: InfluxDB) -> None:
    """Figures of officers have parts of their own: a nation without sensors would have an empty board."""
    name = influxdb.create("grafana_reported")
    points = []
    for city, code, part, value in (
        ("c0", "EN:EN:AQ:1C", "pm2_5", 4.0), ("c1", "EN:EN:AQ:1C", "pm2_5:reported", 9.0),
        ("c0", "EC:ICT:ES:1C", "reported", 70.0), ("c1", "EC:ICT:ES:1C", "-", 60.0),
    ):  # fmt: skip
        tags = {"city": city, "period": "year", "code": code, "part": part}
        points.append(Point("kpi", tags, {"value": value, "valued": 1, "verdict": 0}, START))
    InfluxStore.from_url(f"influxdb://127.0.0.1:{influxdb.port}/{name}").points.put(points)
    places = {title: f"i{n}" for n, (title, *_) in enumerate(INDICATORS)}
    rows = {row["city"]: row for row in answer(influxdb, name, "region", "Cities by indicator")}
    assert [rows[c][places["PM2.5 µg/m³"]] for c in ("c0", "c1")] == [4, 9]
    assert [rows[c][places["Smart meters %"]] for c in ("c0", "c1")] == [70, 60]
    by_city = answer(influxdb, name, "region", "${code:text}, ${part:text}, by city")
    assert {row["city"]: row["v"] for row in by_city} == {"c0": 4, "c1": 9}
    parts = {v["name"]: v for v in dashboards()["region"]["templating"]["list"]}["part"]["options"]
    whole = next(option["value"] for option in parts if option["text"] == "whole")
    query = panel("region", "${code:text}, ${part:text}, by city")["targets"][0]["query"]
    chosen = {"${part:raw}": whole, "${code:singlequote}": "'EC:ICT:ES:1C'"}
    assert {r["city"]: r["v"] for r in influxdb.query(replaced(query, START, END, CITY, chosen), name)} == {
        "c0": 70, "c1": 60,
    }  # fmt: skip


def test_a_period_without_a_value_is_listed_with_its_reason(influxdb: InfluxDB, database: str) -> None:
    query = panel("kpis", "Without a value, and why")["targets"][0]["query"].replace("LIMIT 1", "LIMIT 12")
    rows = influxdb.query(replaced(query, START, END, CITY, {"$period": "month"}), database)
    assert any(row["part"] == "so2" and "capture under 75 %" in row["notes"] for row in rows)
