"""Air quality: the annual means against the WHO guideline, and what every station measures."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.frame import AnyPanel, Line, Row, board
from grafana.indicators import derived_from, indicator
from grafana.influx import Query, fold, mean
from grafana.panels import bars, chart
from kpi_derivation.catalogue import DERIVATIONS
from telemetry.quantities import QUANTITIES

# WHO global air quality guidelines, 2021, µg/m³. There is no annual level for SO2, and the one for O3 is a
# mean of daily maxima over the peak season, which an annual mean must not be held against.
WHO_YEAR = {"pm2_5": 5.0, "pm10": 15.0, "no2": 10.0}
WHO_DAY = {"pm2_5": 15.0, "pm10": 45.0, "no2": 25.0, "so2": 40.0}

POLLUTANTS = DERIVATIONS["EN:EN:AQ:1C"].kpi.parts
WEATHER = ("temperature", "humidity", "pressure")


def build() -> Dashboard:
    """The dashboard."""
    rows = [
        *(indicator(kpi, WHO_YEAR) for kpi in derived_from(("air_reference", "air_lowcost"))),
        Row("Stations", [Line([_station(quantity) for quantity in POLLUTANTS[i : i + 2]]) for i in (0, 2, 4)]),
        Row("Readings", [Line([_readings(), _refused()])]),
        Row("Weather at the stations", [Line([_weather(quantity) for quantity in WEATHER])]),
    ]
    about = "The five pollutants of U4SSC's air pollution indicator, for the city and by station."
    return board("air", "Air quality", about, rows, since="now-30d", period=True)


def _station(quantity: str) -> AnyPanel:
    limit = WHO_DAY.get(quantity)
    panel = chart(
        QUANTITIES[quantity].title, [Query(mean("hour", quantity), "$tag_device")], "ug/m3", smallest="1h", limit=limit
    )
    line = f"Dashed: the WHO's guideline for 24 hours, {limit:g} µg/m³." if limit else "No 24 h guideline is drawn."
    return panel.description(f"Hourly means of every station, or longer ones in a wide time range. {line}")


def _readings() -> AnyPanel:
    queries = [Query(fold('sum("n")', "hour", quantity), f"{quantity} $tag_device") for quantity in POLLUTANTS]
    return bars("Readings taken", queries, "count")


def _refused() -> AnyPanel:
    flagged = [fold('sum("flagged")', "hour", quantity, only="") for quantity in POLLUTANTS]
    queries = [Query(query, f"{quantity} $tag_device") for query, quantity in zip(flagged, POLLUTANTS, strict=True)]
    return bars("Readings refused by quality control", queries, "count")


def _weather(quantity: str) -> AnyPanel:
    known = QUANTITIES[quantity]
    return chart(known.title, [Query(mean("hour", quantity), "$tag_device")], known.unit, smallest="1h")
