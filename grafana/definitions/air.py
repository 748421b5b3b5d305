"""Air: is it good, where is it worst, are the stations plausible?"""

from __future__ import annotations

from typing import Any

from grafana.colours import GREEN, INDEX, INDEX_WORDS, LOWEST, ORANGE, RED, TROUBLE, TROUBLE_WORDS, YELLOW, band_steps
from grafana.frame import Row, choice, dashboard, devices_variable
from grafana.influx import (
    CITY,
    TAKEN,
    VALUED,
    Query,
    all_of,
    by_hour_of_day,
    calendar,
    chosen,
    is_quantity,
    kpi,
    mean,
    select,
)
from grafana.panels import Line, Panel, Shown, curves, grid, number, ranking, site_map
from grafana.shared.air import POLLUTANTS, WHO_DAY, index_now
from grafana.shared.kpis import PART_WORDS, PARTS
from grafana.tables import Column, listing

ONLY = chosen("device")
ALL_AIR = is_quantity(*POLLUTANTS)
NORMS = {"WHO_DAYS": "WHO guideline", "EU2030_DAYS": "EU from 2030", "EU_DAYS": "EU today"}


def build() -> dict[str, Any]:
    """The dashboard."""
    numbers = [(4, index_now("Air now", ONLY)), *((4, _pollutant(q)) for q in POLLUTANTS)]
    rows = [
        Row(5, numbers),
        Row(12, [(14, _stations()), (10, _curves())]),
        Row(10, [(12, _hours()), (12, _year())]),
        Row(11, [(7, _ranking()), (5, _days_over()), (5, _wind()), (7, _map())]),
        Row(9, [(10, _suspects()), (14, _notes())]),
    ]
    variables = [
        choice("quantity", "Pollutant", POLLUTANTS, "pm2_5"),
        devices_variable("device", "Station", *POLLUTANTS),
        choice("norm", "Days over", NORMS, "WHO_DAYS"),
    ]
    question = "Is the air good, where is it worst, and are the stations plausible?"
    return dashboard("air", "Air", question, rows, since="now-7d", refresh="5m", variables=variables)


def _pollutant(quantity: str) -> Panel:
    about = "Hourly mean of the highest station, coloured by its European band. The line is the last 48 hours."
    each = mean("hour", quantity, ("time(1h)", '"device"'), ONLY)
    query = Query(f'SELECT max("m") AS "m" FROM ({each}) WHERE $timeFilter GROUP BY time(1h) fill(none)', "µg/m³")
    return number(
        POLLUTANTS[quantity], about, query, "ug/m3", steps=band_steps(quantity), time_from="48h", spark=True, decimals=1,
        size=26, interval="1h", no_value="not in 48 h",
    )  # fmt: skip


def _stations() -> Panel:
    about = (
        "Newest hourly mean of each station in µg/m³, coloured by its European band; the index is that of its worst pollutant."
        " A dash: the station does not measure it, or not in the last six hours. Low-cost sensors are indicative."
    )
    by = ('"device"', '"site"')
    index = f'SELECT max("band") AS "b" FROM "hour" WHERE {all_of(CITY, TAKEN, ONLY, "$timeFilter")} GROUP BY time(1h), "device", "site" fill(none)'
    parts = [f'(SELECT last("b") AS "i" FROM ({index}) GROUP BY "device", "site")']
    for quantity in POLLUTANTS:
        each = mean("hour", quantity, ("time(1h)", *by), ONLY)
        parts.append(f'(SELECT last("m") AS "{quantity}" FROM ({each}) GROUP BY "device", "site")')
    heard = select('max("last_t") AS "t"', "hour", [CITY, ONLY, ALL_AIR, TAKEN, "$timeFilter"], by)
    names = {"i": "i", **{q: q for q in POLLUTANTS}}
    outer = ", ".join(f'mean("{name}") AS "{name}"' for name in names)
    query = f'SELECT {outer}, mean("t") AS "heard" FROM {", ".join([*parts, f"({heard})"])} GROUP BY "device", "site"'
    columns = [
        Column("i", "Index", 84, "badge", steps=INDEX, words=INDEX_WORDS),
        Column("device", "Station", 92, to="air&var-device=${__value.text}&var-quantity=${quantity}"),
        Column("site", "Site"),
        *(
            Column(q, t, 57 if q.startswith("pm") else 48, "coloured", decimals=1, steps=band_steps(q))
            for q, t in POLLUTANTS.items()
        ),
        Column("heard", "Heard", 138, "ago"),
    ]
    return listing("Stations, newest hour", about, Query(query, table=True), columns, sort="Index", time_from="6h")


def _curves() -> Panel:
    about = (
        "Hourly means of the chosen pollutant. The dashed line is the WHO guideline level of 2021 for a day (for ozone: eight"
        " hours): single hours may be above it. A gap is a gap."
    )
    each = mean("hour", "x", ("time($__interval)", '"device"', '"site"'), ONLY, fill="null").replace(
        "= 'x'", "= ${quantity:singlequote}"
    )
    queries = [Query(each, "$tag_site, $tag_device")]
    for quantity, level in WHO_DAY.items():
        where = all_of(CITY, '"quantity" = ${quantity:singlequote}', is_quantity(quantity), TAKEN, "$timeFilter")
        text = f'SELECT max("n") * 0 + {level:g} AS "g" FROM "hour" WHERE {where} GROUP BY time($__interval) fill(none)'
        queries.append(Query(text, f"WHO day {level:g}"))
    lines = [Line(f"WHO day {level:g}", ORANGE, 2, 0, dash=True) for level in sorted(set(WHO_DAY.values()))]
    return curves(
        "${quantity:text} by station",
        about,
        queries,
        "ug/m3",
        lines=lines,
        legend="right",
        interval="1h",
        fill=0,
        least=None,
    )


def _of_chosen() -> str:
    return (
        mean("hour", "x", ("time(1h)",), ONLY).replace("= 'x'", "= ${quantity:singlequote}").replace('AS "m"', 'AS "v"')
    )


def _hours() -> Panel:
    about = (
        "Mean of the chosen stations in every hour: one column a day, one line an hour of the city's clock. Rush hours are"
        " bands, episodes are columns."
    )
    title = "${quantity:text} by hour of day, four weeks, µg/m³"
    return grid(title, about, by_hour_of_day(_of_chosen()), "", time_from="28d", interval="1d")


def _year() -> Panel:
    about = "European index of the worst hour, station and pollutant of each day: 1 good to 6 extremely poor. One column a week."
    where = all_of(*kpi("LOCAL:AQ:EAQI", "day"), "$timeFilter")
    daily = f'SELECT max("value") AS "v" FROM "kpi" WHERE {where} GROUP BY time(1d) fill(-1) tz(\'$tz\')'
    return grid("Worst hour of every day, one year", about, calendar(daily), "", scheme="RdYlGn", time_from="53w", interval="1w",
                least=1, most=6, decimals=0)  # fmt: skip


def _ranking() -> Panel:
    about = "Which station stands out: one far above its neighbours for days is a hot spot or a broken sensor."
    where = [CITY, '"quantity" = ${quantity:singlequote}', ONLY, TAKEN, "$timeFilter"]
    by = ('"device"', '"site"')
    query = Query(select('sum("sum") / sum("n") AS "m"', "hour", where, by), "$tag_site, $tag_device")
    return ranking("${quantity:text}, mean of seven days by station", about, query, "ug/m3", time_from="7d", decimals=1)


def _wind() -> Panel:
    about = (
        "Mean of the chosen pollutant by the direction from which the wind blew at the end of each hour: a source lies where the bar is long."
        " Four weeks, chosen stations; needs a device that measures wind direction."
    )
    by = ("time(1h)",)
    level = f'SELECT "v" AS "c" FROM ({_of_chosen()})'
    where = [CITY, is_quantity("wind_direction"), TAKEN, "$timeFilter"]
    wind = select('last("last") AS "d"', "hour", where, by, "none")
    joined = f'SELECT mean("c") AS "c", mean("d") AS "d" FROM ({level}), ({wind}) WHERE $timeFilter GROUP BY time(1h) fill(none)'
    queries = []
    for place, name in enumerate(("N", "NE", "E", "SE", "S", "SW", "W", "NW")):
        low, high = 45 * place - 22.5, 45 * place + 22.5
        side = f'"d" >= {low} AND "d" < {high}' if low > 0 else f'("d" >= {low + 360} OR "d" < {high})'
        queries.append(Query(f'SELECT mean("c") AS "m" FROM ({joined}) WHERE {side}', name))
    return ranking(
        "${quantity:text} by wind, from",
        about,
        queries,
        "ug/m3",
        decimals=1,
        time_from="28d",
        no_value="no wind direction",
    )


def _days_over() -> Panel:
    about = (
        "Days with a daily mean above the level at the worst station, in the newest calendar year with data, so far. The WHO allows three to four"
        " a year, the EU 18 (PM2.5, PM10, NO₂, SO₂ from 2030)."
    )
    where = [CITY, "\"code\" = 'LOCAL:AQ:$norm'", "\"period\" = 'year'", VALUED]
    query = Query(select('last("value") AS "days"', "kpi", where, ('"part"',)), "$tag_part")
    steps = ((0, GREEN), (4, YELLOW), (19, RED))
    shown = [Shown(part, title) for part, title in PARTS.items()]
    return ranking("Days over, newest year: ${norm:text}", about, query, "days", steps=steps, most=60, shown=shown)


def _map() -> Panel:
    about = "Every registered device with a position, coloured by what is wrong with it."
    query = Query(
        f'SELECT "trouble", "site", "kind", "lat", "lon", "heard" FROM "device" WHERE {CITY} AND "kind" =~ /^air/ GROUP BY "device"',
        table=True,
    )
    return site_map("Where the stations are", about, query, "trouble", TROUBLE, TROUBLE_WORDS)


def _suspects() -> Panel:
    about = (
        "Stations with days that differ implausibly from those of their neighbours within the last 30 days, and on how many."
        " They are still counted. Compare, calibrate or leave them out. An empty table is good."
    )
    query = Query(
        f'SELECT "suspect", "site", "heard" FROM "device" WHERE {CITY} AND "suspect" > 0 GROUP BY "device"', table=True
    )
    columns = [
        Column("suspect", "Days", 70, "coloured", decimals=0, steps=((LOWEST, ORANGE),)),
        Column("device", "Station", 110, to="air&var-device=${__value.text}&var-quantity=${quantity}"),
        Column("site", "Site"),
        Column("heard", "Heard", 138, "ago"),
    ]
    return listing("Suspect stations", about, query, columns, sort="Days")


def _notes() -> Panel:
    about = "From the notes of the daily means of 28 days: spikes, suspect stations, stations with too few hours. Empty is good."
    where = all_of(
        CITY, "\"code\" = 'EN:EN:AQ:1C'", "\"period\" = 'day'", '"notes" =~ /suspect|left out|spike/', "$timeFilter"
    )
    query = Query(
        f'SELECT "label", "notes" FROM "kpi" WHERE {where} GROUP BY "part" ORDER BY time DESC LIMIT 20', table=True
    )
    columns = [Column("label", "Day", 105), Column("part", "What", 80, words=PART_WORDS), Column("notes", "Why")]
    return listing("Notes on daily means, 28 days", about, query, columns, sort="Day", time_from="28d")
