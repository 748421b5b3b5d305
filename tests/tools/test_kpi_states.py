"""Every KPI in six states of its data: the page is current, and each cell is what its state promises."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from kpi_derivation.catalogue import DERIVATIONS, reads
from kpi_derivation.engine import values
from kpi_derivation.engine.reads import DATA
from kpi_derivation.engine.view import Part
from telemetry.kpi_value import NOT_APPLICABLE, KpiValue, Reason
from tools.kpi_states import PAGE, STATES, States, found, page

Table = dict[str, dict[str, KpiValue]]


def is_of_registry(code: str) -> bool:
    """Facts of the city file: the derivation reads no readings, and asks for no share of the period to be covered."""
    asked = reads(code)
    return ("rules", "period_capture") not in asked and not any(fact[0] in DATA - {"listed"} for fact in asked)


REGISTRY = {code for code in DERIVATIONS if is_of_registry(code)}
SUMS = ("LOCAL:EV:", "LOCAL:E:METERED", "LOCAL:E:PEAK", "LOCAL:E:COINCIDENCE", "LOCAL:ES:SAIDI all", "EC:I:ES:1C",
        "LOCAL:AQ:EAQI", "LOCAL:AQ:USAQI")  # fmt: skip
# The formula has no value where nothing happened: no interruption, no supply, no generation, no energy.
UNDEFINED_AT_ZERO = {"EC:I:ES:2C", "EC:I:WS:3C", "EN:E:E:1C", "LOCAL:E:SELF_CONSUMPTION", "LOCAL:E:COINCIDENCE",
                     "EC:I:WS:4C", "EN:EN:WS:4C", "EN:EN:WA:1C", "EC:I:T:5A", "LOCAL:T:LOW_CARBON",
                     "LOCAL:T:ELECTRIC"}  # fmt: skip
# Of zero readings these are not zero: levels of sound, an index that begins at 1, a share that stays, a site without a
# field, a street without traffic.
NOT_ZERO = {"LOCAL:N:LDEN": None, "EN:EN:EQ:2A": 5.0, "LOCAL:AQ:EAQI": 1.0, "LOCAL:EV:AVAILABILITY": 100.0,
            "EN:EN:EQ:1C": 100.0, "EC:ICT:T:2C": 50.0}  # fmt: skip
NO_MAJOR = "LOCAL:ES:SAIDI without_major_events"  # needs five years before


@pytest.fixture(scope="module")
def states() -> States:
    """The values, with every missing value's reason given by its derivation."""

    def given(part: Part) -> Reason:
        assert part.value is not None or part.reason, part
        return part.reason

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "reason_of", given)
        return found()


@pytest.fixture(scope="module")
def table(states: States) -> Table:
    """State -> name of KPI and part -> value."""
    return {
        state: {f"{c} {p}".strip(): v for (c, p), v in of.items() if c in DERIVATIONS} for state, of in states.items()
    }


# The names stand on the page, so that they are known before anything is calculated.
NAMES = re.findall(r"^\| ([A-Z]+:[^|]+) \|", PAGE.read_text(encoding="utf-8"), re.M)


def test_the_page_is_current(states: States) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(states)


def test_every_kpi_has_a_row(table: Table) -> None:
    assert tuple(table) == STATES
    assert {name.split()[0] for name in NAMES} == set(DERIVATIONS)
    assert all(set(of) == set(NAMES) for of in table.values())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", NAMES)
def test_each_cell(name: str, state: str, table: Table) -> None:
    v, code = table[state][name], name.split(maxsplit=1)[0]
    assert v.reason in get_args(Reason)
    assert (v.value is None) == (v.status in ("insufficient", "not_applicable"))
    assert (v.status == "not_applicable") == (v.value is None and v.reason in NOT_APPLICABLE)
    assert (v.status == "partial") == (v.value is not None and v.reason == "partial_period")
    assert bool(v.reason) == (v.value is None or v.status == "partial")
    assert 0.0 <= v.coverage <= 1.0
    if state == "future":
        assert (v.value, v.coverage, v.reason, v.n_devices) == (None, 0.0, "future", 0)
    elif code in REGISTRY:
        assert (v.coverage, v.reason) == (1.0, "")
        assert v.value == table["whole"][name].value
    else:
        if state == "zero":
            assert v.coverage == table["whole"][name].coverage
        {"whole": whole, "part": part, "nothing": nothing, "zero": zero, "stale": stale}[state](name, code, v)


def whole(name: str, code: str, v: KpiValue) -> None:
    if name == NO_MAJOR:
        assert (v.value, v.reason) == (None, "low_coverage")
        return
    assert (v.status, v.reason) == ("final", "")
    assert v.coverage == pytest.approx(2 / 3 if code == "EN:E:E:2C" else 1.0)  # two of three meters are registered


def part(name: str, code: str, v: KpiValue) -> None:
    share = 31 / 366 * (2 / 3 if code == "EN:E:E:2C" else 1.0)
    assert v.coverage == pytest.approx(share, abs=0.001)
    assert v.status != "final"
    if name.startswith(SUMS):
        assert v.status == "partial"
    else:
        assert (v.value, v.status) == (None, "insufficient")


def nothing(name: str, code: str, v: KpiValue) -> None:
    assert (v.value, v.coverage) == (None, 0.0)
    assert v.reason in ("no_data", "outside_log"), v


def zero(name: str, code: str, v: KpiValue) -> None:
    if code in UNDEFINED_AT_ZERO:
        assert (v.value, v.reason) == (None, "undefined")
    elif code in NOT_ZERO:
        assert v.status == "final"
        assert NOT_ZERO[code] is None or v.value == NOT_ZERO[code]
    elif name != NO_MAJOR:
        assert (v.value, v.status) == (0.0, "final")


def stale(name: str, code: str, v: KpiValue) -> None:
    """Chargers that send every hour and are silent for a day have no sessions, not zero."""
    assert (v.value, v.status) in ((None, "insufficient"), (None, "not_applicable"))
    assert v.reason in ("stale", "no_data", "not_for_period", "outside_log", "undefined")
