"""The formulas as SQL for DuckDB over a table `r(t, device, quantity, value)`; periods are civil days of a zone.

Nothing of the product is imported here: time zones, hours, captures and sums are DuckDB's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb


class Sheet:
    """Readings of one city, and the questions put to them. Values out of the plausible range are left out first."""

    def __init__(self, zone: str) -> None:
        self.db = duckdb.connect()
        self.db.execute("SET TimeZone = 'UTC'")
        self.db.execute("SET threads = 1")
        self.db.execute("CREATE TABLE r (t TIMESTAMPTZ, device TEXT, quantity TEXT, value DOUBLE)")
        self.zone = zone

    def load(self, path: Path) -> None:
        """A recorded file of measurements."""
        self.db.execute(
            "INSERT INTO r SELECT time::TIMESTAMPTZ, device, quantity, value FROM read_csv(?, header=true,"
            " columns={'time':'TEXT','device':'TEXT','quantity':'TEXT','value':'DOUBLE','unit':'TEXT'})",
            [str(path)],
        )

    def add(self, rows: list[tuple[int, str, str, float]]) -> None:
        """Rows (ms UTC, device, quantity, value), each once."""
        lines = sorted(set(rows))
        self.db.execute("CREATE OR REPLACE TEMP TABLE s (t BIGINT, device TEXT, quantity TEXT, value DOUBLE)")
        columns = [list(c) for c in zip(*lines, strict=True)]
        self.db.execute("INSERT INTO s SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)
        self.db.execute(
            "INSERT INTO r SELECT epoch_ms(t)::TIMESTAMP AT TIME ZONE 'UTC', device, quantity, value FROM s"
        )

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of an answer; `$local` in the query is the local time of a reading."""
        return self.db.execute(sql.replace("$local", f"(t AT TIME ZONE '{self.zone}')"), list(values)).fetchall()

    def air(self, quantity: str, devices: list[str], period: str, minutes: float, capture: float) -> float | None:
        """Mean over the stations with enough valid hours of the means of their valid hours."""
        sql = """
        WITH span AS (SELECT count(*) AS hours FROM generate_series(
                        ?::TIMESTAMP AT TIME ZONE $zone, ?::TIMESTAMP AT TIME ZONE $zone - INTERVAL 1 SECOND,
                        INTERVAL 1 HOUR)),
             h AS (SELECT device, date_trunc('hour', t) AS hour, avg(value) AS mean, count(*) AS n FROM r
                   WHERE quantity = ? AND list_contains(?, device) AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP
                   GROUP BY ALL),
             s AS (SELECT device, avg(mean) AS mean, count(*) AS hours FROM h WHERE n * ? >= 45 GROUP BY device)
        SELECT avg(mean) FROM s, span WHERE s.hours >= ? * span.hours""".replace("$zone", f"'{self.zone}'")
        first, after = bounds(period)
        found = self.ask(sql, first, after, quantity, devices, first, after, minutes, capture)
        return None if found[0][0] is None else float(found[0][0])

    def line(self, quantity: str, device: str, other: str, minutes: float) -> tuple[float, float, float, int]:
        """Slope, intercept, R2 and number of hours of `other` over `device`; `minutes`: a reading of the device."""
        sql = """
        WITH h AS (SELECT device, date_trunc('hour', t) AS hour, avg(value) AS mean, count(*) AS n FROM r
                   WHERE quantity = ? GROUP BY ALL),
             p AS (SELECT a.mean AS x, b.mean AS y FROM h a JOIN h b ON a.hour = b.hour
                   WHERE a.device = ? AND b.device = ? AND a.n * ? >= 45)
        SELECT regr_slope(y, x), regr_intercept(y, x), regr_r2(y, x), count(*)::INT FROM p"""
        [(slope, intercept, r2, n)] = self.ask(sql, quantity, device, other, minutes)
        return float(slope), float(intercept), float(r2), int(n)

    def total(self, quantity: str, devices: list[str], period: str) -> float:
        """Sum of the values of a period."""
        sql = (
            "SELECT coalesce(sum(value), 0) FROM r WHERE quantity = ? AND list_contains(?, device)"
            " AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP"
        )
        return float(self.ask(sql, quantity, devices, *bounds(period))[0][0])

    def steps(self, quantity: str, devices: list[str], period: str) -> float:
        """What registers counted: steps spread over the time between their readings; a smaller value is a reset."""
        first, last = (f"epoch(?::TIMESTAMP AT TIME ZONE '{self.zone}')" for _ in range(2))
        sql = f"""
        WITH j AS (SELECT epoch(t) AS t, value, lag(value) OVER w AS before, epoch(lag(t) OVER w) AS since FROM r
                   WHERE quantity = ? AND list_contains(?, device) WINDOW w AS (PARTITION BY device ORDER BY t)),
             s AS (SELECT t, since, CASE WHEN before IS NULL THEN 0 WHEN value >= before THEN value - before
                             WHEN value > 0.9 * before THEN 0 ELSE value END AS step FROM j)
        SELECT coalesce(sum(step * greatest(least(t, {last}) - greatest(since, {first}), 0) / (t - since)), 0)
        FROM s WHERE since IS NOT NULL"""
        return float(self.ask(sql, quantity, devices, *reversed(bounds(period)))[0][0])

    def days_over(self, quantity: str, device: str, period: str, limit: float) -> int:
        """Local days with 18 or more hours whose mean is over the limit; hourly readings."""
        sql = """
        WITH d AS (SELECT $local::DATE AS day, avg(value) AS mean, count(*) AS n FROM r
                   WHERE quantity = ? AND device = ? AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP GROUP BY day)
        SELECT count(*) FROM d WHERE n >= 18 AND mean > ?"""
        return int(self.ask(sql, quantity, device, *bounds(period), limit)[0][0])

    def eight_hours_over(self, quantity: str, device: str, period: str, limit: float) -> int:
        """Local days with an 8-hour mean over the limit that ends in them; hourly readings, 6 or more in a run."""
        sql = """
        WITH m AS (SELECT t, avg(value) OVER w AS mean, count(*) OVER w AS n FROM r WHERE quantity = ? AND device = ?
                   WINDOW w AS (ORDER BY t RANGE BETWEEN INTERVAL 7 HOURS PRECEDING AND CURRENT ROW)),
             e AS (SELECT t, mean FROM m WHERE n >= 6)
        SELECT count(DISTINCT $local::DATE) FROM e
        WHERE mean > ? AND $local >= ?::TIMESTAMP AND $local < ?::TIMESTAMP"""
        return int(self.ask(sql, quantity, device, limit, *bounds(period))[0][0])


def bounds(period: str) -> tuple[str, str]:
    """First moment of a year, month or day and of the one after it, local time."""
    numbers = [int(x) for x in period.split("-")]
    if len(numbers) == 1:
        return f"{numbers[0]}-01-01", f"{numbers[0] + 1}-01-01"
    if len(numbers) == 2:
        y, m = numbers
        return f"{y}-{m:02}-01", f"{y + m // 12}-{m % 12 + 1:02}-01"
    [(day, after)] = duckdb.execute(f"SELECT DATE '{period}', DATE '{period}' + 1").fetchall()
    return str(day), str(after)
