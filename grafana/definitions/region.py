"""Region: which city needs help?"""

from __future__ import annotations

from typing import Any

from grafana.colours import COUNT_OF_TROUBLE, FAINT, GREEN, GREY, INDEX, INDEX_WORDS, ORANGE, RED, YELLOW, Steps
from grafana.frame import Row, choice, dashboard, from_store
from grafana.influx import PAST, VALUED, Query, all_of
from grafana.panels import Panel, curves, grid, ranking
from grafana.shared.kpis import GROUPS, KPI_WORDS, PART_WORDS, either, part_title
from grafana.tables import Column, listing
from kpi_derivation.catalogue import KPIS

CITIES = '"city" =~ /^${cities:regex}$/'
# What sensors gave and what cities report are shown alike: of two values the newer one.
_PARTS = {either("-"): "whole"} | {either(part): part_title(part) for kpi in KPIS.values() for part in kpi.parts}
_SHARE: Steps = ((0, "#8a6d1a"), (50, "#4f7a3a"), (90, "#23938b"))
_ON_TARGET: Steps = ((0, "#c4314b"), (50, "#b8870b"), (80, "#3f9d5f"))
_PLAIN: Steps = ((-1e12, "#3b5278"),)
# Title, code, part, periods (of rolling ones the newest, of a city that is no longer fed its last year), unit's decimals, colours.
INDICATORS: tuple[tuple[str, str, str, str, int, Steps], ...] = (
    ("Air index", "LOCAL:AQ:EAQI", "-", "24h|day", 0, INDEX),
    ("PM2.5 µg/m³", "EN:EN:AQ:1C", "pm2_5", "365d|year", 1, ((0, "#23938b"), (5, "#3f9d5f"), (10, YELLOW), (25, RED))),
    ("NO₂ µg/m³", "EN:EN:AQ:1C", "no2", "365d|year", 1, ((0, "#23938b"), (10, "#3f9d5f"), (20, YELLOW), (40, RED))),
    ("WHO days", "LOCAL:AQ:WHO_DAYS", "pm2_5", "365d|year", 0, ((0, "#23938b"), (4, YELLOW), (19, RED))),
    ("kWh per head", "EN:E:E:2C", "-", "365d|year", 0, _PLAIN),
    ("t CO₂e per head", "EN:EN:AQ:2C", "-", "365d|year", 2, _PLAIN),
    ("Peak kW, month", "LOCAL:E:PEAK", "-", "month", 0, _PLAIN),
    ("Smart meters %", "EC:ICT:ES:1C", "-", "365d|year", 0, _SHARE),
    ("Chargers up %", "LOCAL:EV:AVAILABILITY", "-", "365d|year", 0, _SHARE),
)


def build() -> dict[str, Any]:
    """The dashboard."""
    rows = [
        Row(9, [(24, _cities())]),
        Row(9, [(24, _on_target())]),
        Row(9, [(14, _alive()), (10, _chosen())]),
        Row(11, [(24, _spread())]),
        Row(10, [(9, _history()), (9, _air()), (6, _how_many())]),
    ]
    codes = {code: kpi.name for code, kpi in KPIS.items() if kpi.derivable}
    variables = [
        from_store("cities", "Cities", 'SHOW TAG VALUES FROM "kpi" WITH KEY = "city"', many=True),
        choice("code", "Indicator", codes, "EN:EN:AQ:1C"),
        choice("part", "Part", _PARTS, either("pm2_5")),
    ]
    question = "Which city needs help, and which one can others learn from?"
    return dashboard("region", "Region", question, rows, since="now-1y", refresh="5m", variables=variables, city=False)


def _cities() -> Panel:
    about = "Newest value of each indicator by city, from sensors or reported: of the last 365 days, or of the last year with data; a dash: the city has no value for it. WHO days: days over the guideline for PM2.5. Click a city to see it now."
    parts, outer = [], []
    for number, (_, code, part, period, _, _) in enumerate(INDICATORS):
        where = all_of(
            f"\"code\" = '{code}'", f'"part" =~ /^({either(part)})$/', f'"period" =~ /^({period})$/', VALUED, CITIES
        )
        parts.append(f'(SELECT last("value") AS "i{number}" FROM "kpi" WHERE {where} GROUP BY "city")')
        outer.append(f'mean("i{number}") AS "i{number}"')
    query = Query(f'SELECT {", ".join(outer)} FROM {", ".join(parts)} GROUP BY "city"', table=True)
    columns = [Column("city", "City", 0, to="/d/cityvitals-now?var-city=${__value.text}")]
    columns += [
        Column(
            f"i{n}",
            title,
            120,
            "badge",
            decimals=decimals,
            steps=steps,
            base=FAINT,
            words=INDEX_WORDS if code == "LOCAL:AQ:EAQI" else None,
        )
        for n, (title, code, _, _, decimals, steps) in enumerate(INDICATORS)
    ]
    return listing("Cities by indicator", about, query, columns, sort="City", descending=False)


_NEWEST = all_of(CITIES, VALUED, '"period" =~ /^(365d|year)$/')


def _on_target() -> Panel:
    about = (
        "Share of the figures with a target in the city's file that are on target, by sub-dimension; a dash: none has a target and a value."
        " Click a city for its indicators."
    )
    parts, outer = [], []
    for number, (prefix, _, _) in enumerate(GROUPS):
        where = all_of(CITIES, f'"code" =~ /^{prefix}:/', '"verdict" > 0', PAST)
        parts.append(f'(SELECT 100 * (mean("verdict") - 1) AS "g{number}" FROM "figure" WHERE {where} GROUP BY "city")')
        outer.append(f'mean("g{number}") AS "g{number}"')
    query = Query(f'SELECT {", ".join(outer)} FROM {", ".join(parts)} GROUP BY "city"', table=True)
    columns = [Column("city", "City", 0, to="/d/cityvitals-kpis?var-city=${__value.text}")]
    columns += [
        Column(f"g{number}", title, 130, "badge", unit="%", decimals=0, steps=_ON_TARGET, base=FAINT)
        for number, (_, title, _) in enumerate(GROUPS)
    ]
    return listing("On target, by sub-dimension", about, query, columns, sort="City", descending=False)


def _chosen() -> Panel:
    about = "Newest value of the chosen indicator and part for each city, from sensors or reported: of the last 365 days, or of the last year with data."
    where = all_of(_NEWEST, '"code" = ${code:singlequote}', '"part" =~ /^(${part:raw})$/')
    query = Query(f'SELECT last("value") AS "v" FROM "kpi" WHERE {where} GROUP BY "city"', "$tag_city")
    return ranking("${code:text}, ${part:text}, by city", about, query, "", decimals=1, no_value="no city has it")


def _spread() -> Panel:
    about = (
        "How far the chosen cities lie apart, for every indicator of which a city has a value: newest value of each city, quartiles by nearest"
        " rank. Outliers by robust z, shares of people and the region's own value: cityvitals region."
    )
    shown = 'count("value") AS "n", min("value") AS "min", percentile("value", 25) AS "low", median("value") AS "median", percentile("value", 75) AS "high", max("value") AS "max"'
    query = Query(f'SELECT {shown} FROM "newest" WHERE {CITIES} AND {VALUED} GROUP BY "code", "part"', table=True)
    columns = [
        Column("code", "Indicator", words=KPI_WORDS, to="region&var-code=${__value.raw}"),
        Column("part", "Part", 110, words=PART_WORDS),
        Column("n", "Cities", 80, decimals=0),
        Column("min", "Lowest", 110, decimals=2),
        Column("low", "First quartile", 120, decimals=2),
        Column("median", "Median", 110, decimals=2),
        Column("high", "Third quartile", 120, decimals=2),
        Column("max", "Highest", 110, decimals=2),
    ]
    return listing("The region by indicator", about, query, columns, sort="Cities")


def _alive() -> Panel:
    about = "Devices of every city by the newest counts of ingest, and its newest reading; the oldest first."
    fields = ("devices", "not_heard", "in_trouble", "suspect", "missing", "newest")
    columns_ = ", ".join(f'last("{f}") AS "{f}"' for f in fields)
    query = Query(f'SELECT {columns_} FROM "state" WHERE {CITIES} AND {PAST} GROUP BY "city"', table=True)
    columns = [
        Column("city", "City", 0, to="/d/cityvitals-fleet?var-city=${__value.text}"),
        Column("devices", "Devices", 85, decimals=0),
        Column("not_heard", "Not heard", 90, "coloured", decimals=0, steps=COUNT_OF_TROUBLE),
        Column("in_trouble", "In trouble", 90, "coloured", decimals=0, steps=COUNT_OF_TROUBLE),
        Column("suspect", "Suspect", 85, "coloured", decimals=0, steps=((0, GREEN), (1, ORANGE))),
        Column("missing", "Missing", 85, "coloured", decimals=0, steps=((0, GREY), (1, ORANGE))),
        Column("newest", "Newest reading", 140, "ago"),
    ]
    return listing("Is each city alive?", about, query, columns, sort="Newest reading", descending=False)


def _how_many() -> Panel:
    about = "Indicators that have a value of a year, calendar or rolling."
    each = f'SELECT max("valued") AS "v" FROM "figure" WHERE {CITIES} AND {VALUED} GROUP BY "city", "code"'
    return ranking("Indicators with a yearly value", about, Query(f'SELECT count("v") AS "n" FROM ({each}) GROUP BY "city"', "$tag_city"),
                   "", most=60)  # fmt: skip


def _history() -> Panel:
    about = "The chosen indicator by month, one line a city. Part: of indicators with several figures."
    where = all_of(
        CITIES,
        '"code" = ${code:singlequote}',
        '"part" =~ /^(${part:raw})$/',
        "\"period\" = 'month'",
        VALUED,
        "$timeFilter",
    )
    query = Query(f'SELECT "value" FROM "kpi" WHERE {where} GROUP BY "city"', "$tag_city")
    return curves(
        "${code:text}, ${part:text}, by month", about, [query], "", legend="right", joined=True, fill=0, least=None
    )


def _air() -> Panel:
    about = "European index of the worst hour of each day, by city: 1 good to 6 extremely poor."
    where = all_of(CITIES, "\"code\" = 'LOCAL:AQ:EAQI'", "\"period\" = 'day'", VALUED, "$timeFilter")
    query = Query(
        f'SELECT max("value") AS "v" FROM "kpi" WHERE {where} GROUP BY time(1d), "city" fill(none)', "$tag_city"
    )
    return grid(
        "Worst hour of every day, 90 days",
        about,
        [query],
        "",
        scheme="RdYlGn",
        time_from="90d",
        interval="1d",
        least=1,
        most=6,
        decimals=0,
    )
