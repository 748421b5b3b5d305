"""Queries of the endpoints: newest values, the values of a period, a time series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from threading import Lock
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.store import CityRecord
from api.shared_store import SharedStore
from kpi_derivation.catalogue import KPIS, canonical
from registry.city import City
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.periods import (
    KINDS,
    ROLLING,
    Period,
    PeriodKind,
    calendar_period,
    local_date,
    midnight,
    parse_period,
)
from telemetry.windows import DAY

# How far before the newest data the newest value of a kind may start: a store of many years is not read completely.
_LOOK_BACK: dict[PeriodKind, int] = {
    "24h": 8 * DAY,
    "365d": 8 * DAY,
    "day": 8 * DAY,
    "month": 62 * DAY,
    "quarter": 184 * DAY,
    "year": 731 * DAY,
}
DAYS_SHOWN = 92


_CITIES = 1000  # whose models are kept
_made: dict[str, tuple[dict[str, Any], City]] = {}
_making = Lock()


def model_of(record: CityRecord) -> City:
    """The model of a stored city file; the same one as long as the file is the same.

    A file of 10,000 devices takes a quarter of a second to check, and every request needs it.
    """
    held = _made.get(record.id)
    if held is not None and (held[0] is record.config or held[0] == record.config):
        return held[1]
    with _making:  # requests that come together do not all make it
        held = _made.get(record.id)
        if held is None or held[0] != record.config:
            held = record.config, City.model_validate(record.config)
            if len(_made) >= _CITIES:
                del _made[next(iter(_made))]
            _made[record.id] = held
        return held[1]


def zone_of(record: CityRecord) -> ZoneInfo:
    """The city's time zone."""
    return ZoneInfo(record.config["city"]["timezone"])


def newest(
    store: SharedStore, city: str, kinds: Sequence[PeriodKind] = KINDS, codes: Sequence[str] | None = None
) -> list[StoredKpi]:
    """The newest value of every KPI part and kind, sorted by (code, part, kind)."""
    span = store.span(city, "hour")
    found: dict[tuple[str, str, str], StoredKpi] = {}
    for kind in kinds:
        rows = store.kpis(KpiQuery(city, [kind], codes, start=span[1] - _LOOK_BACK[kind])) if span else []
        for row in rows or store.kpis(KpiQuery(city, [kind], codes)):
            found[row.kpi.code, row.kpi.part, kind] = row
    return [found[key] for key in sorted(found)]


def in_period(
    store: SharedStore, record: CityRecord, period: str | None, codes: Sequence[str] | None
) -> list[StoredKpi]:
    """The values of a period; without one, the newest of every kind. Raises UsageError."""
    if period is None:
        return newest(store, record.id, codes=codes)
    if period in ROLLING:
        return newest(store, record.id, [kind for kind in ROLLING if kind == period], codes)
    wanted = parse_period(period, zone_of(record))
    return store.kpis(KpiQuery(record.id, [wanted.kind], codes, wanted.start, wanted.start + 1))


def standing_year(store: SharedStore, city: str, zone: ZoneInfo, now: int) -> Period:
    """The year shown where the query names none: the newest, or the one before where that has more figures.

    Figures of people come once a year and late; a year that has just begun would show next to nothing.
    """
    years = [row.kpi for row in store.kpis(KpiQuery(city, ["year"])) if row.kpi.value is not None]
    if not years:
        return calendar_period("year", local_date(now, zone), zone)
    newest_year = max(int(kpi.period) for kpi in years)
    counts = {y: len({k.code for k in years if int(k.period) == y}) for y in (newest_year, newest_year - 1)}
    return parse_period(f"{max(counts, key=lambda y: (counts[y], y)):04}", zone)


YEARS = 5  # whose values are looked at beside the newest


def recent_years(store: SharedStore, city: str) -> list[KpiValue]:
    """The yearly values of the newest five years that have any."""
    found = [row.kpi for row in store.kpis(KpiQuery(city, ["year"]))]
    newest_year = max((int(kpi.period) for kpi in found if kpi.value is not None), default=0)
    return [kpi for kpi in found if newest_year - YEARS < int(kpi.period) <= newest_year]


class TimeRange(NamedTuple):
    """A half-open time range in UTC ms; None: unlimited."""

    start: int | None
    end: int | None


def history(
    store: SharedStore, record: CityRecord, code: str, kind: PeriodKind, part: str | None, time_range: TimeRange
) -> list[StoredKpi]:
    """The values of one kind whose period starts in the time range, sorted by (part, time).

    Without a start, days are limited to the last 92 days; the other kinds are not limited.
    """
    start = time_range.start
    if start is None and kind == "day":
        start = _default_start(store, record.id, time_range.end)
    rows = store.kpis(KpiQuery(record.id, [kind], [code], start, time_range.end))
    if start is None and kind == "day":  # no readings, only values
        start = max((row.kpi.end for row in rows), default=0) - DAYS_SHOWN * DAY
        rows = [row for row in rows if row.kpi.start >= start]
    return [row for row in rows if part is None or row.kpi.part == part]


def _default_start(store: SharedStore, city: str, end: int | None) -> int | None:
    if end is None:
        span = store.span(city, "hour")
        end = span[1] if span else None
    return None if end is None else end - DAYS_SHOWN * DAY


def moment(text: str | None, zone: ZoneInfo, name: str) -> int | None:
    """UTC ms of a date (midnight in the city) or an RFC 3339 time. Raises UsageError naming the parameter."""
    if text is None:
        return None
    try:
        if len(text) == len("2018-01-31"):
            return midnight(date.fromisoformat(text), zone)
        stamp = datetime.fromisoformat(text)
        return round(stamp.astimezone(UTC).timestamp() * 1000) if stamp.tzinfo else _no_zone(text, name)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name}='{text}' is not a valid time; use 2018-07-01 or 2018-07-01T00:00:00Z.") from error


def _no_zone(text: str, name: str) -> int:
    raise UsageError(f"{name}='{text}' has no time zone; use 2018-07-01, or end the time with Z.")


def catalogue_code(text: str) -> str:
    """The catalogue's code for a code as people write it. Raises UsageError naming the nearest."""
    found = canonical(text)
    if found is None:
        close = get_close_matches(text.replace(" ", "").upper(), KPIS, n=1, cutoff=0.5)
        hint = f"did you mean '{close[0]}'?" if close else "/v1/catalogue lists all codes."
        raise UsageError(f"'{text}' is not a KPI code; {hint}")
    return found
