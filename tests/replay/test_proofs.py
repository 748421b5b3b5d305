"""Every value's proof adds up on the recorded data, in years, months and days."""

from __future__ import annotations

import os
import time

import pytest

from adapters.stores import existing_store
from reporting.proof.explain import Explainer
from reporting.show import stored_city
from telemetry.periods import parse_period
from tests.reporting.adds_up import all_faults

PERIODS = {
    "aberdeen": ("2018", "2018-06-15"),
    "trondheim": ("2019", "2020", "2019-03"),
    "acn": ("2021", "2021-06", "2021-06-15"),
    "lcl": ("2013", "2013-07", "2013-01-18"),
}
SLOW = ("lcl",)  # derives three million readings


@pytest.mark.parametrize("city", PERIODS)
def test_every_proof_of_the_recorded_data_adds_up(city: str, replayed: dict[str, str]) -> None:
    if city in SLOW and os.environ.get("CITYVITALS_LONG") != "1":
        pytest.skip("takes a minute; set CITYVITALS_LONG=1")
    store = existing_store(replayed[city])
    known = stored_city(store, city)
    made = Explainer(store, known, time.time_ns() // 1_000_000)
    for label in PERIODS[city]:
        assert all_faults(made, known, parse_period(label, known.zone)) == {}
    store.close()
