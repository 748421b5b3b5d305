"""The proof against results computed elsewhere: Aberdeen's stations of 2018, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.replay import recorded
from tests.reporting.city import run

Proofs = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proofs]:
    """Part -> proof of Aberdeen's air of 2018."""
    store = f"sqlite:///{tmp_path_factory.mktemp('aberdeen')}/aberdeen.db"
    run("replay", recorded.long(recorded.STATIONS), "--city", recorded.city("aberdeen"), "--store", store)
    text = run("kpi", "explain", "EN:EN:AQ:1C", "--city", "aberdeen", "--store", store, "--period", "2018",
               "--format", "json")  # fmt: skip
    yield {p["value"]["part"]: p for p in msgspec.json.decode(text)["derived"]}
    assert Path(store.removeprefix("sqlite:///")).exists()


def test_every_station_mean_and_capture_is_the_expected_one(proofs: Proofs) -> None:
    found = {(d["device"], d["quantity"]): d for p in proofs.values() for d in p["devices"] if d["hours"]}
    expected = recorded.table("aberdeen_2018")
    assert expected
    for row in expected:
        device = found[row["station"], row["quantity"]]
        assert device["hours"] == int(row["n"])
        assert device["mean"] == pytest.approx(float(row["mean"]), abs=0.00006)
        assert 100 * device["capture"] == pytest.approx(float(row["capture_pct"]), abs=0.006)


def test_the_city_value_is_the_expected_mean_of_the_stations_that_count(proofs: Proofs) -> None:
    for row in recorded.table("aberdeen_2018_city"):
        proof = proofs[row["quantity"]]
        assert proof["value"]["value"] == pytest.approx(float(row["mean_of_station_means"]), abs=0.00006)
        assert sum(not d["left_out"] for d in proof["devices"]) == int(row["stations_used"])
        assert proof["arithmetic"].startswith(f"mean of the {row['stations_used']} station means: ")


def test_stations_under_the_capture_rule_are_named_with_their_capture(proofs: Proofs) -> None:
    out = {
        d["device"]: d["left_out"] for d in proofs["pm2_5"]["devices"] if d["kind"] == "air_reference" and d["left_out"]
    }
    assert out == {"king-street": "capture 68.06 % under 75 %", "market-street-2": "capture 74.76 % under 75 %"}
