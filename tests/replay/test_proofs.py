"""Every value's proof adds up on the recorded data, in years, months and days."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from adapters.stores import existing_store
from reporting.proof.explain import Explainer
from reporting.show import stored_city
from telemetry.periods import parse_period
from tests.replay import cli, recorded
from tests.reporting.adds_up import all_faults

PERIODS = {
    "aberdeen": (recorded.STATIONS, "2018", "2018-06-15"),
    "trondheim": (recorded.TRONDHEIM, "2019", "2020", "2019-03"),
    "acn": (recorded.ACN, "2021", "2021-06", "2021-06-15"),
    "lcl": (recorded.METERS, "2013", "2013-07", "2013-01-18"),
}
SLOW = ("lcl",)  # replays three million readings


@pytest.mark.parametrize("city", PERIODS)
def test_every_proof_of_the_recorded_data_adds_up(city: str, tmp_path: Path) -> None:
    if city in SLOW and os.environ.get("CITYVITALS_LONG") != "1":
        pytest.skip("takes a minute; set CITYVITALS_LONG=1")
    name, *labels = PERIODS[city]
    cli.replay(recorded.city(city), f"sqlite:///{tmp_path}/s.db", recorded.long(name), how=cli.here)
    store = existing_store(f"sqlite:///{tmp_path}/s.db")
    known = stored_city(store, city)
    made = Explainer(store, known, time.time_ns() // 1_000_000)
    for label in labels:
        assert all_faults(made, known, parse_period(label, known.zone)) == {}
    store.close()
