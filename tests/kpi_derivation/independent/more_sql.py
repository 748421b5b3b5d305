"""More formulas as SQL for DuckDB: noise, indices of air quality, peaks, outages. Nothing of the product is in it."""

from __future__ import annotations

from tests.kpi_derivation.independent.sql import Sheet, bounds

# Upper ends of the rows of the US index (concentration cut to `step`, index), by quantity and unit.
US = {
    "pm2_5": (0.1, ((9.0, 50), (35.4, 100), (55.4, 150), (125.4, 200), (225.4, 300), (325.4, 500))),
    "pm10": (1.0, ((54, 50), (154, 100), (254, 150), (354, 200), (424, 300), (604, 500))),
}
EUROPE = {"pm2_5": (5, 15, 50, 90, 140), "pm10": (15, 45, 120, 195, 270), "no2": (10, 25, 60, 100, 150)}


def lden(sheet: Sheet, device: str, period: str, minutes: float) -> tuple[float, float]:
    """Lden and Lnight of a site whose readings stand for `minutes` each."""
    sql = """
    WITH h AS (SELECT date_trunc('hour', t) AS hour, min(hour($local)) AS clock, avg(pow(10, value / 10)) AS e,
                      count(*) AS n
               FROM r WHERE quantity = 'laeq' AND device = ? AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP
               GROUP BY ALL),
         p AS (SELECT CASE WHEN clock BETWEEN 7 AND 18 THEN 'd' WHEN clock BETWEEN 19 AND 22 THEN 'e' ELSE 'n' END AS
                      part, avg(e) AS e FROM h WHERE n * ? >= 45 GROUP BY part)
    SELECT 10 * log10((12 * max(e) FILTER (part = 'd') + 4 * pow(10, 0.5) * max(e) FILTER (part = 'e')
                       + 80 * max(e) FILTER (part = 'n')) / 24), 10 * log10(max(e) FILTER (part = 'n')) FROM p"""
    [(level, night)] = sheet.ask(sql, device, *bounds(period), minutes)
    return float(level), float(night)


def european_band(sheet: Sheet, quantity: str, period: str, minutes: float) -> int:
    """Band of the highest valid hour of any station."""
    breaks = " + ".join(f"(max(mean) > {limit})::INT" for limit in EUROPE[quantity])
    sql = f"""
    WITH h AS (SELECT device, date_trunc('hour', t) AS hour, avg(value) AS mean, count(*) AS n FROM r
               WHERE quantity = ? AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP GROUP BY ALL)
    SELECT 1 + {breaks} FROM h WHERE n * ? >= 45"""
    [(band,)] = sheet.ask(sql, quantity, *bounds(period), minutes)
    return int(band)


def us_index(sheet: Sheet, quantity: str, period: str, minutes: float) -> float | None:
    """Index of the highest mean of a local day with 18 valid hours, of any station."""
    step, rows = US[quantity]
    cases, low, index = [], 0.0, 0
    for upper, level in rows:
        cases.append(
            f"WHEN c < {upper + step / 2} THEN floor({level - index} / ({upper} - {low}) * (c - {low}) + {index} + 0.5)"
        )
        low, index = upper + step, level + 1
    sql = f"""
    WITH h AS (SELECT device, date_trunc('hour', t) AS hour, min($local)::DATE AS day, avg(value) AS mean, count(*) AS n
               FROM r WHERE quantity = ? AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP GROUP BY device, hour),
         d AS (SELECT avg(mean) AS mean FROM h WHERE n * ? >= 45 GROUP BY device, day HAVING count(*) >= 18),
         m AS (SELECT floor(max(mean) / {step} + 1e-6) * {step} AS c FROM d)
    SELECT CASE {" ".join(cases)} ELSE 500 END FROM m WHERE c IS NOT NULL"""
    found = sheet.ask(sql, quantity, *bounds(period), minutes)
    return float(found[0][0]) if found else None


def peak(sheet: Sheet, period: str, minutes: int) -> tuple[float, float]:
    """Highest power of all meters together in a quarter, kW, and the sum of each one's own; of interval energies.

    `minutes`: the intervals' length, 15 or 30.
    """
    sql = f"""
    WITH q AS (SELECT device, t + INTERVAL (15 * k) MINUTE AS quarter, value * 60 / {minutes} AS kw
               FROM r, range({minutes // 15}) AS s(k) WHERE quantity = 'energy_delta'),
         i AS (SELECT * FROM q WHERE (quarter AT TIME ZONE '{sheet.zone}') >= ?::TIMESTAMP
                                 AND (quarter AT TIME ZONE '{sheet.zone}') < ?::TIMESTAMP)
    SELECT (SELECT max(total) FROM (SELECT sum(kw) AS total FROM i GROUP BY quarter)),
           (SELECT sum(own) FROM (SELECT max(kw) AS own FROM i GROUP BY device))"""
    [(together, each)] = sheet.ask(sql, *bounds(period))
    return float(together), float(each)


def outages(sheet: Sheet, period: str, limit: float, customers: float) -> tuple[float, float | None, float]:
    """SAIFI, CAIDI and SAIDI in minutes, of a table `o(t, minutes, customers)` of interruptions."""
    sql = """
    SELECT coalesce(sum(customers), 0), coalesce(sum(customers * minutes), 0) FROM o
    WHERE minutes > ? AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP"""
    [(ci, cmi)] = sheet.ask(sql, limit, *bounds(period))
    return float(ci) / customers, float(cmi) / float(ci) if ci else None, float(cmi) / customers
