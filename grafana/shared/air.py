"""Panels about air that several dashboards show."""

from __future__ import annotations

from typing import Any

from grafana.colours import INDEX, INDEX_WORDS
from grafana.influx import CITY, TAKEN, Query, all_of
from grafana.panels import number

POLLUTANTS = {"pm2_5": "PM2.5", "pm10": "PM10", "no2": "NO₂", "o3": "O₃", "so2": "SO₂"}
# WHO guideline 2021, level of a day (of ozone: of eight hours), µg/m³.
WHO_DAY = {"pm2_5": 15.0, "pm10": 45.0, "no2": 25.0, "o3": 100.0, "so2": 40.0}


def index_now(title: str, only: str = "") -> dict[str, Any]:
    """The air quality index of the newest hour as a word on its colour."""
    about = (
        "European air quality index of the worst station and pollutant in the newest hour: 1 good to 6 extremely poor"
        " (bands of 2024, hourly values). The line is the last 24 hours."
    )
    query = f'SELECT max("band") AS "index" FROM "hour" WHERE {all_of(CITY, TAKEN, only, "$timeFilter")} GROUP BY time(1h) fill(none)'
    return number(
        title, about, Query(query, "index"), "", steps=INDEX, words=INDEX_WORDS, time_from="24h", size=34, spark=True,
        background=True, to="air", interval="1h", no_value="no hour",
    )  # fmt: skip
