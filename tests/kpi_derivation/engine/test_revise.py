"""When a changed value is a new revision, and when it is the same one still settling."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kpi_derivation.engine.values import revise, status_of
from kpi_derivation.engine.view import Part
from registry.city import Rules
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.periods import Period
from telemetry.windows import HOUR

NOW, HOLD = 1_600_000_000_000, HOUR
DAY = Period("day", "2018-07-01", NOW - 48 * HOUR, NOW - 24 * HOUR)


def value(number: float | None, status: str = "final", **rest: Any) -> KpiValue:
    plain: dict[str, Any] = {
        "city": "aba", "code": "X", "part": "", "period": "2018", "kind": "year", "start": 0, "end": 1, "unit": "kWh",
        "coverage": 1.0, "n_devices": 1, "method": "m", "status": status,
    }  # fmt: skip
    return KpiValue(**{**plain, **rest}, value=number)


def stored(number: float | None, status: str = "final", revision: int = 1, changed: int = 0) -> StoredKpi:
    return StoredKpi(kpi=value(number, status, revision=revision), changed=changed, updated=changed)


def test_the_first_value_is_revision_one() -> None:
    found = revise(None, value(1.0), NOW, HOLD)
    assert found == StoredKpi(kpi=value(1.0), changed=NOW, updated=NOW)


def test_the_same_value_again_is_nothing_to_store() -> None:
    assert revise(stored(1.0, revision=3), value(1.0), NOW, HOLD) is None


def test_a_provisional_value_changes_without_a_revision() -> None:
    found = revise(stored(1.0, "provisional"), value(2.0, "provisional"), NOW, HOLD)
    assert found is not None
    assert (found.kpi.revision, found.previous, found.changed) == (1, None, NOW)


def test_a_provisional_value_that_becomes_final_is_the_same_revision() -> None:
    found = revise(stored(1.0, "provisional"), value(1.0), NOW, HOLD)
    assert found is not None
    assert (found.kpi.status, found.kpi.revision, found.previous) == ("final", 1, None)


def test_a_final_value_that_stood_and_changes_is_a_new_revision_and_keeps_the_old_value() -> None:
    found = revise(stored(1.0, changed=NOW - HOLD), value(2.0), NOW, HOLD)
    assert found is not None
    assert (found.kpi.value, found.kpi.revision, found.previous, found.changed) == (2.0, 2, 1.0, NOW)


def test_within_the_hold_a_changing_final_value_is_one_revision() -> None:
    found = revise(stored(1.0, changed=NOW - HOLD + 1), value(2.0), NOW, HOLD)
    assert found is not None
    assert (found.kpi.revision, found.previous, found.changed, found.updated) == (1, None, NOW - HOLD + 1, NOW)


def test_the_hold_counts_from_the_first_change_so_a_steady_trickle_ends() -> None:
    now, old = NOW, stored(1.0, changed=NOW)
    for number in range(2, 200):
        now += HOLD // 10
        changed = revise(old, value(float(number)), now, HOLD)
        assert changed is not None
        old = changed
    assert old.kpi.revision > 10


def test_a_final_value_whose_coverage_alone_changes_is_no_revision() -> None:
    found = revise(stored(1.0, changed=0), value(1.0, coverage=0.5), NOW, HOLD)
    assert found is not None
    assert (found.kpi.coverage, found.kpi.revision, found.changed) == (0.5, 1, 0)


def test_a_final_value_that_goes_away_is_a_revision_too() -> None:
    found = revise(stored(1.0, changed=0), value(None, "insufficient"), NOW, HOLD)
    assert found is not None
    assert (found.kpi.value, found.kpi.revision, found.previous) == (None, 2, 1.0)


def test_a_value_after_one_that_went_away_is_another_revision_and_keeps_the_last_number() -> None:
    gone = revise(stored(1.0, changed=0), value(None, "insufficient"), NOW, HOLD)
    assert gone is not None
    later = revise(gone, value(3.0), NOW + HOLD, HOLD)
    assert later is not None
    assert (later.kpi.value, later.kpi.revision, later.previous) == (3.0, 3, 1.0)
    soon = revise(gone, value(3.0), NOW + HOLD - 1, HOLD)
    assert soon is not None
    assert (soon.kpi.value, soon.kpi.revision, soon.previous) == (3.0, 2, 1.0)


def test_a_first_value_after_none_is_no_revision() -> None:
    found = revise(stored(None, "insufficient"), value(3.0), NOW, HOLD)
    assert found is not None
    assert (found.kpi.revision, found.previous) == (1, None)


def test_revising_again_with_what_was_stored_changes_nothing() -> None:
    found = revise(stored(1.0, changed=0), value(2.0), NOW, HOLD)
    assert found is not None
    assert revise(found, value(2.0), NOW + HOUR, HOLD) is None
    assert revise(found, msgspec.structs.replace(found.kpi, revision=1), NOW, HOLD) is None


@pytest.mark.parametrize(
    ("number", "kind", "hours_after", "status"),
    [
        (None, "day", 1000, "insufficient"),
        (1.0, "day", -1, "provisional"),
        (1.0, "day", 71, "provisional"),
        (1.0, "day", 72, "final"),
        (1.0, "24h", 1000, "provisional"),
        (1.0, "365d", 1000, "provisional"),
    ],
)
def test_status(number: float | None, kind: Any, hours_after: int, status: str) -> None:
    part = Part(value=number, coverage=1.0, n_devices=1)
    assert status_of(part, DAY._replace(kind=kind), Rules(), DAY.end + hours_after * HOUR) == status
