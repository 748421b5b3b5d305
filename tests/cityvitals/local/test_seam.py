"""The demo's history and its live readings leave a gap at the seam: it adds no energy to a day, and no other step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from cityvitals.replay import history
from cityvitals.replay.replay import Replay, finish
from gateway.decoding.decoded import Decoded
from gateway.decoding.sessions import add_session, session_key
from registry.city import City
from simulators.synthetic import Session, register
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.periods import parse_period
from telemetry.windows import MINUTE
from tests.kpi_derivation.golden.world import at

CITY = City.model_validate(
    {
        "city": {"id": "demo", "name": "Demo", "country": "NO", "timezone": "Europe/Oslo"},
        "device": [
            {"id": "street-1", "kind": "electricity_meter", "quantities": ["energy_total"], "customers": 90},
        ],
    }
)
LIVE_MS = 30_000
BEFORE, AFTER = "2026-06-10", "2026-06-11"  # local days; midnight between them is 22:00 UTC


@pytest.mark.parametrize("seed", range(5))
def test_sessions_of_the_history_are_those_of_a_charger(seed: int) -> None:
    """Kind, value, time and key of each row, in the order in which a message would add them."""
    draw = np.random.default_rng(seed)
    start = at(BEFORE) + draw.integers(0, 60, 50) * 10 * MINUTE
    end = start + draw.integers(1, 40, 50) * 10 * MINUTE - draw.integers(0, 2, 50)
    ended = [Session(*times, 0.1 * n) for n, times in enumerate(zip(start.tolist(), end.tolist(), strict=True))]
    expected = Decoded()
    for s in ended:
        add_session(expected, s.start, s.end, s.energy, None, session_key(f"c-{s.start}"))
    kind, value, t, key, arrival = history._of_sessions("c", ended, 0, 1)
    quantities = [("session_energy", "connected_time")[k] for k in kind.tolist()]
    assert list(zip(quantities, value, t, key, strict=True)) == [(row[0], *row[2:5]) for row in expected.rows]
    assert arrival[kind == 0].tolist() == end.tolist()
    assert set(zip(key.tolist(), arrival.tolist(), strict=True)) == set(
        zip(key[kind == 0].tolist(), end.tolist(), strict=True)
    )


def days(folder: Path, gap: tuple[str, str]) -> dict[str, KpiValue]:
    """The metered electricity of both days; of the time in the gap nothing was read."""
    store = SqliteStore(folder / "store.db")
    replay = Replay(CITY, store, folder / "history.db", MINUTE)
    stops, goes_on, end = at(gap[0]), at(gap[1]), at("2026-06-11T22:00")
    for since, until, later in ((at("2026-06-08T22:00"), stops, False), (goes_on, end + LIVE_MS, True)):
        for _ in history.write(replay, since, until, LIVE_MS, goes_on=later):
            pass
    finish(replay, lambda *_: None)
    found = store.kpis(KpiQuery("demo", kinds=["day"], codes=["LOCAL:E:METERED"]))
    store.close()
    return {v.kpi.period: v.kpi for v in found}


def used(day: str) -> float:
    """What the register of the simulated meter counts in a day, kWh."""
    period = parse_period(day, CITY.zone)
    first, last = register("street-1", np.array([period.start, period.end]))
    return float(last - first)


@pytest.mark.parametrize(
    ("gap", "unknown"),
    [
        (("2026-06-10T21:30", "2026-06-10T22:30"), 0.5),  # an hour about midnight
        (("2026-06-10T21:59", "2026-06-10T23:00"), 1.0),  # history ends at midnight, the first reading is an hour later
        (("2026-06-10T12:00", "2026-06-10T12:04"), 4 / 60),  # and two days later the rest is written
    ],
)
def test_the_seam_adds_nothing_to_the_day_after(gap: tuple[str, str], unknown: float, tmp_path: Path) -> None:
    found = days(tmp_path, gap)
    for day in (BEFORE, AFTER):
        assert found[day].value == pytest.approx(used(day), rel=0.01), day  # an hour is 4 %
        assert "e+" not in found[day].notes
    assert found[BEFORE].value + found[AFTER].value == pytest.approx(used(BEFORE) + used(AFTER), rel=1e-6)  # type: ignore[operator]
    lowest = min(found[day].coverage for day in (BEFORE, AFTER))
    assert lowest == pytest.approx(1 - unknown / 24, abs=0.004)
