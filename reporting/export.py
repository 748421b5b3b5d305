"""`cityvitals kpi export`: values as open data, in NGSI-LD, CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.store import Store
from kpi_derivation.catalogue import KPIS
from registry.city import City
from registry.extras import need
from reporting.figures.reported import plain_part
from reporting.figures.stored import calendar
from reporting.ngsi import entity
from reporting.open_rows import COLUMNS, open_rows
from reporting.scoring import scored
from reporting.show import stored_city, wanted_codes
from reporting.targets import stored_targets
from telemetry.errors import UsageError, nearest
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.periods import KINDS

FORMATS = ("ngsi-ld", "csv", "parquet")


def export(store: Store, city_id: str, form: str, period: str, kinds: Sequence[str], codes: Sequence[str]) -> bytes:
    """The file's bytes: of a period, or of all periods of these kinds (default: years).

    Raises UsageError, and CityVitalsError where the library for Parquet is missing.
    """
    if form not in FORMATS:
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, FORMATS)}")
    city = stored_city(store, city_id)
    values = [v for v in _values(store, city, period, kinds, codes) if v.kpi.code in KPIS]
    if form == "ngsi-ld":
        return _ngsi(values, city)
    rows = open_rows(values, licence_of(city))
    return _parquet(rows) if form == "parquet" else _csv(rows)


def _values(store: Store, city: City, period: str, kinds: Sequence[str], codes: Sequence[str]) -> list[StoredKpi]:
    wanted = wanted_codes(codes) if codes else None
    if period:
        span = calendar(city, period)
        return store.kpis(KpiQuery(city.id, [span.kind], wanted, span.start, span.start + 1))
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"'{kind}' is not a kind of period; {nearest(kind, KINDS)}")
    return store.kpis(KpiQuery(city.id, [k for k in KINDS if k in (kinds or ["year"])], wanted))


def licence_of(city: City) -> str | None:
    """The licence of the city's values: `licence` in [city.extra]."""
    found = city.city.extra.get("licence", city.city.extra.get("license"))
    return None if found is None else str(found)


def _ngsi(values: Sequence[StoredKpi], city: City) -> bytes:
    wanted = stored_targets(city)
    found = []
    for v in values:
        target = wanted.get((v.kpi.code, plain_part(v.kpi)))
        rated = scored(v.kpi.value, target) if target and v.kpi.value is not None and v.kpi.value >= 0 else None
        made = entity(v, city, licence_of(city), rated)
        if made:
            found.append(made)
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    need("export", "pyarrow")
    import pyarrow as pa  # noqa: PLC0415 - only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {str: pa.string(), float: pa.float64(), int: pa.int64()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), out, compression="zstd")
    return out.getvalue()
