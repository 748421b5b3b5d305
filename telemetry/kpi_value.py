"""One KPI value as it is stored, shown and published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from telemetry.periods import Period, PeriodKind, iso

# `partial`: a value for a part of its period only, which is never compared with others. `not_applicable`: the KPI does
# not exist here (for this kind of period, without such devices, yet); `insufficient`: it should, but data are missing.
Status = Literal["provisional", "final", "partial", "insufficient", "not_applicable"]

# Why a value is missing or partial, for programs; `notes` is the text for people.
Reason = Literal[
    "",
    "partial_period",  # measured in a part of the period, or by a part of the expected devices, under the rule
    "low_coverage",  # too little was measured for a value
    "no_data",  # no reading in the period
    "stale",  # the newest reading is too old for a current value
    "outside_log",  # the period lies outside the time for which interruptions were logged
    "missing_setting",  # the city file lacks a figure; `notes` names the key
    "not_for_period",  # the KPI is not calculated for this kind of period
    "undefined",  # the formula has no value, such as the mean length of no interruption
    "no_device",  # no such device is registered for this time
    "reported_only",  # sensors cannot give this KPI
    "future",  # the period has not begun
]
NOT_APPLICABLE: frozenset[Reason] = frozenset({"not_for_period", "undefined", "no_device", "reported_only", "future"})


class KpiValue(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI (part) of a city in a period.

    `value` is None when there is no data or coverage is under the rule; `reason` is the code for that, `notes` the
    sentence. `coverage` is 0..1.
    `start`, `end`: UTC ms. `revision` counts how often a value that had stood as final was changed by late data.
    `numerator`, `denominator`: of a ratio, in the units of its formula without the factor 100 of a percentage, so that
    the values of several cities are put together from them; None where the KPI is not a ratio.
    """

    city: str
    code: str
    part: str
    period: str
    kind: PeriodKind
    start: int
    end: int
    value: float | None
    unit: str
    coverage: float
    status: Status
    n_devices: int
    revision: int = 1
    method: str
    notes: str = ""
    reason: Reason = ""
    numerator: float | None = None
    denominator: float | None = None

    @property
    def time(self) -> int:
        """The time of the stored point: the start of a calendar period, the end of a rolling one."""
        return self.end if self.kind in ("24h", "365d") else self.start

    @property
    def identity(self) -> tuple[str, str, str, str, int]:
        """What a rewrite replaces."""
        return (self.city, self.code, self.part, self.kind, self.time)


class StoredKpi(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI value with the time (ms) of its last change and the value that it replaced."""

    kpi: KpiValue
    changed: int
    previous: float | None = None
    updated: int = 0


class KpiQuery(NamedTuple):
    """Which KPI values of a city: of these kinds of periods and codes (None: all), with `time` in [start, end)."""

    city: str
    kinds: Sequence[PeriodKind] | None = None
    codes: Sequence[str] | None = None
    start: int | None = None
    end: int | None = None

    @staticmethod
    def of_period(city: str, period: Period, codes: Sequence[str] | None = None) -> KpiQuery:
        """The values of one calendar period."""
        return KpiQuery(city, [period.kind], codes, period.start, period.start + 1)


def as_json(value: KpiValue) -> dict[str, Any]:
    """The value as the API and the command line return it: plain JSON types, `start` and `end` in RFC 3339 UTC."""
    row = {name: getattr(value, name) for name in KpiValue.__struct_fields__ if name != "kind"}
    return row | {"start": iso(value.start), "end": iso(value.end)}
