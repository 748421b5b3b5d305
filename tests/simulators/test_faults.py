"""Faults of simulated devices, in the values themselves: history and live nodes use the same functions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from registry.city import Device
from registry.settings import SimulateSettings
from simulators.faults import Fault, faults_of, sessions_with, unregistered_devices, with_fault
from simulators.synthetic import columns, sessions
from telemetry.windows import DAY, HOUR, MINUTE

SINCE = round(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
T = np.arange(SINCE - 3 * HOUR, SINCE + 3 * HOUR, 15 * MINUTE, dtype=np.int64)
AIR = Device(id="air-01", kind="air_lowcost", quantities=("pm2_5", "temperature"))
CHARGER = Device(id="charger-01", kind="ev_charger", quantities=("connector_state", "session_energy"))


def test_a_silent_device_sends_nothing_from_its_time_on() -> None:
    for c in with_fault(columns(AIR, T), Fault("silent", SINCE)):
        assert len(c.t) == len(c.value) == 12
        assert c.t.max() == SINCE - 15 * MINUTE


def test_a_station_that_reads_high_multiplies_particles_only() -> None:
    well, ill = columns(AIR, T), with_fault(columns(AIR, T), Fault("high", SINCE))
    particles, temperature = (ill[i].value / well[i].value for i in (0, 1))
    assert np.allclose(particles[:12], 1.0)
    assert np.allclose(particles[12:], 2.6, rtol=0.001)
    assert np.allclose(temperature, 1.0)


def test_a_broken_charger_reports_its_fault_and_starts_no_session() -> None:
    (state,) = with_fault(columns(CHARGER, T), Fault("broken", SINCE))
    assert set(state.value[12:].tolist()) == {3.0}
    assert 3.0 not in state.value[:12].tolist()
    found = sessions("charger-01", SINCE - 5 * DAY, SINCE + 5 * DAY)
    left = sessions_with(found, Fault("broken", SINCE))
    assert 0 < len(left) < len(found)
    assert max(s.start for s in left) < SINCE
    assert sessions_with(found, None) == found


def test_an_unregistered_device_sends_what_another_sends_until_it_is_registered() -> None:
    settings = SimulateSettings.model_validate(
        {
            "fault": [{"device": "air-01", "kind": "silent", "since": "2026-11-20T12:00:00Z"}],
            "unregistered": [
                {"device": "air-70", "like": "air-01", "since": "2026-11-20T12:00:00Z"},
                {"device": "air-71", "like": "nobody", "since": "2026-11-20T12:00:00Z"},
            ],
        }
    )
    assert faults_of(settings) == {"air-01": Fault("silent", SINCE)}
    assert [(d.id, d.quantities, since) for d, since in unregistered_devices(settings, [AIR])] == [
        ("air-70", ("pm2_5", "temperature"), SINCE)
    ]
    assert unregistered_devices(settings, [AIR, replace(AIR, id="air-70")]) == []
