"""Every query of every panel, put to a real InfluxDB as Grafana would put it, is answered and brings rows."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.influx.store import InfluxStore
from adapters.points import Point
from grafana.colours import TROUBLE_WORDS
from grafana.influx import total
from ingest.fleet import TROUBLE
from telemetry.windows import DAY, HOUR
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


def test_a_period_without_a_value_is_listed_with_its_reason(influxdb: InfluxDB, database: str) -> None:
    query = panel("kpis", "Without a value, and why")["targets"][0]["query"].replace("LIMIT 1", "LIMIT 12")
    rows = influxdb.query(replaced(query, START, END, CITY, {"$period": "month"}), database)
    assert any(row["part"] == "so2" and "capture under 75 %" in row["notes"] for row in rows)
