"""`cityvitals kpi show`: the KPI values of a period from the store, with the reason for those that do not exist."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec

from adapters.store import Store
from kpi_derivation.catalogue import DERIVATIONS, KPIS, canonical
from kpi_derivation.engine.runner import Engine
from registry.city import City
from reporting.tables import table
from telemetry.errors import UsageError, nearest
from telemetry.kpi_value import KpiQuery, KpiValue, as_json
from telemetry.periods import ROLLING, Period, parse_period
from telemetry.series import SeriesTable
from telemetry.windows import DAY, HOUR

FIELDS = (
    "city", "code", "part", "period", "start", "end", "value", "unit", "coverage", "status", "n_devices", "revision",
    "method", "notes", "reason", "numerator", "denominator",
)  # fmt: skip


def stored_city(store: Store, city_id: str) -> City:
    """The stored city. Raises UsageError."""
    record = store.city(city_id)
    if record is None:
        known = [r.id for r in store.cities()]
        hint = nearest(city_id, known) if known else "it contains none yet: run `cityvitals replay` first."
        raise UsageError(f"The store contains no city '{city_id}'; {hint}")
    return City.model_validate(record.config)


def wanted_codes(codes: Sequence[str]) -> list[str]:
    """Catalogue codes of the user's codes; all derivable ones where there are none. Raises UsageError."""
    found = []
    for code in codes:
        exact = canonical(code)
        if exact is None:
            raise UsageError(f"There is no KPI '{code}'; {nearest(code, KPIS)}")
        found.append(exact)
    return found or sorted(DERIVATIONS)


def values(store: Store, city_id: str, period_text: str, codes: Sequence[str], now: int) -> list[KpiValue]:
    """The values of a period, sorted by code and part, with a row for each derivable part. `now`: ms UTC."""
    city = stored_city(store, city_id)
    wanted = wanted_codes(codes)
    period = _period(store, city, period_text, now)
    time = period.end if period.kind in ROLLING else period.start
    # A rolling value is shown during the hour (or day) after its end and the one after that.
    back = {"24h": 2 * HOUR, "365d": 2 * DAY}.get(period.kind, 0)
    found = store.kpis(KpiQuery(city_id, [period.kind], wanted, time - back, time + 1))
    given = {(v.kpi.code, v.kpi.part): v.kpi for v in found}
    for value in _underived(city, store, period, wanted, now):
        given.setdefault((value.code, value.part), value)
    return [given[key] for key in sorted(given)]


def _period(store: Store, city: City, text: str, now: int) -> Period:
    """The period of the text. Raises UsageError."""
    for rolling in Engine(city, SeriesTable(), store).rolling(now):
        if rolling.kind == text:
            return rolling
    return parse_period(text, city.zone)


def _underived(city: City, store: Store, period: Period, codes: Sequence[str], now: int) -> list[KpiValue]:
    """Values of the derivations for a period without any reading, and rows for KPIs that cities report."""
    empty = Engine(city, SeriesTable(), store)
    derived = empty.derive(period, now, [DERIVATIONS[c] for c in codes if c in DERIVATIONS])
    reported = [
        KpiValue(
            city=city.id, code=code, part="", period=period.label, kind=period.kind, start=period.start, end=period.end,
            value=None, unit=KPIS[code].unit, coverage=0.0, status="not_applicable", n_devices=0, method="reported",
            reason="reported_only",
            notes="sensors cannot give this KPI; the city reports it",
        )
        for code in codes if code not in DERIVATIONS
    ]  # fmt: skip
    return derived + reported


def as_text(rows: Sequence[KpiValue], form: str, width: int = 200) -> str:
    """The rows as `json`, `csv` or `table`."""
    plain = [as_json(row) for row in rows]
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"
    if form == "csv":
        out = io.StringIO()
        writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(plain)
        return out.getvalue()
    return _table(rows, width)


def _table(rows: Sequence[KpiValue], width: int) -> str:
    head = ("KPI", "name", "part", "value", "unit", "status", "coverage", "devices", "notes")
    body = [
        [
            r.code, KPIS[r.code].name if r.code in KPIS else "", r.part, "-" if r.value is None else f"{r.value:,.4f}",
            r.unit, r.status, f"{100 * r.coverage:.1f} %", str(r.n_devices), r.notes,
        ]
        for r in rows
    ]  # fmt: skip
    return table(head, body, width)
