"""`cityvitals kpi explain`: the proof shows exactly what a value rests on."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_derivation.catalogue import DERIVATIONS, Derivation
from kpi_derivation.engine.sums import Sums
from kpi_derivation.engine.values import kpi_value
from kpi_derivation.engine.view import Part, View
from registry.city import City
from reporting.proof.devices import proofs_of
from reporting.proof.proof import DeviceProof, arithmetic, error_of_mean, standard_error
from reporting.proof.text import part_of_the_time
from reporting.proof.watched import Read, watching
from telemetry.errors import UsageError
from telemetry.periods import parse_period
from tests.reporting.city import CITY, run


def explain(store: str, code: str, *options: str, period: str = "2018-01") -> str:
    return run("kpi", "explain", code, "--city", "almby", "--store", store, "--period", period, *options)


def proof(store: str, code: str, part: str = "", period: str = "2018-01") -> dict[str, Any]:
    options = ("--format", "json", *(("--part", part) if part else ()))
    [found] = msgspec.json.decode(explain(store, code, *options, period=period))["derived"]
    return dict(found)


def test_the_standard_error_of_the_nist_reference_numacc1() -> None:
    """NIST StRD NumAcc1: 10000001, 10000003, 10000002; their mean is 10000002, the squares of what is left are 1, 1 and
    0, over 2 they are 1: exact in integers, and lost where the square of the mean is subtracted from mean squares.
    """
    assert standard_error([10000001.0, 10000003.0, 10000002.0]) == pytest.approx(1 / math.sqrt(3), rel=1e-12)
    assert standard_error([5.0]) is None
    assert error_of_mean([3.0, 4.0]) == 2.5
    assert error_of_mean([3.0, None]) is None


def test_the_mean_of_two_stations_is_proved_down_to_the_stations(filled: str) -> None:
    found = proof(filled, "EN:EN:AQ:1C", "no2")
    assert found["value"]["value"] == pytest.approx((32 + 10) / 2, abs=0.01)
    assert found["arithmetic"].startswith("mean of the 2 station means: (")
    street, park, broken = found["devices"]
    assert (street["device"], street["hours"], street["left_out"]) == ("street", 743, "")
    assert street["mean"] == pytest.approx(32.0, abs=0.01)
    assert street["standard_error"] == pytest.approx(2 / math.sqrt(743), rel=0.01)
    assert park["standard_error"] == 0.0
    assert broken["left_out"] == "capture 6.45 % under 75 %"


def test_a_gas_is_given_by_volume_too(filled: str) -> None:
    found = proof(filled, "EN:EN:AQ:1C", "no2")
    value = found["value"]["value"]
    assert found["in_ppb"].startswith(f"{value / 1.9:,.6g} ppb by the publisher's factor 1.9; these would be ")
    assert "in ppb" in explain(filled, "EN:EN:AQ:1C", "--part", "no2", period="2018-01")
    assert proof(filled, "LOCAL:E:METERED").get("in_ppb", "") == ""


def test_the_uncertainty_is_over_stations_and_over_hours(filled: str) -> None:
    found = proof(filled, "EN:EN:AQ:1C", "no2")["uncertainty"]
    assert found["over_stations"] == pytest.approx(11.0, abs=0.01)
    assert found["over_hours"] == pytest.approx(2 / math.sqrt(743) / 2, rel=0.01)


def test_the_parameters_are_those_the_derivation_read(filled: str) -> None:
    air = {p["name"] for p in proof(filled, "EN:EN:AQ:1C", "no2")["parameters"]}
    assert "period_capture" in air
    assert "population" not in air
    power = {p["name"]: p["value"] for p in proof(filled, "EN:E:E:2C")["parameters"]}
    assert power["population"] == 10000
    assert power["electricity_meters"] == 3


def test_energy_by_head_is_shown_as_a_division(filled: str) -> None:
    found = proof(filled, "EN:E:E:2C")
    assert found["value"]["value"] == pytest.approx(743 * 2 / 10000)
    assert found["arithmetic"].startswith("sum over 2 devices by population: (1,114.5 + 371.5) / 10,000 = ")


@pytest.mark.parametrize("code", sorted(DERIVATIONS))
def test_every_derivable_kpi_can_be_explained_and_says_the_same_as_the_store(filled: str, code: str) -> None:
    text = explain(filled, code)
    assert text.startswith(code)
    assert "DIFFERENT" not in text
    assert DERIVATIONS[code].method in " ".join(text.split())


def test_the_text_names_the_devices_the_rule_and_why_one_is_left_out(filled: str) -> None:
    text = explain(filled, "EN:EN:AQ:1C", "--part", "no2")
    for line in ("period_capture = 0.75", "broken  no2            capture 6.45 % under 75 %", "street", "+/-",
                 "recalculated now: the same", "standard errors only"):  # fmt: skip
        assert line in text


def test_a_part_that_is_not_there_is_reported(filled: str) -> None:
    with pytest.raises(UsageError, match="its parts are: pm2_5, pm10, no2, so2, o3"):
        explain(filled, "EN:EN:AQ:1C", "--part", "co")


def test_a_kpi_that_nobody_reported_is_reported(filled: str) -> None:
    with pytest.raises(UsageError, match="has no value in 2018"):
        explain(filled, "SC:SH:SI:2C", period="2018")


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.floats(-1e6, 1e6))
def test_a_standard_error_does_not_move_with_the_values(values: list[float], by: float) -> None:
    error = standard_error(values)
    moved = standard_error([v + by for v in values])
    assert error is not None
    assert moved == pytest.approx(error, rel=1e-6, abs=1e-4)
    assert error >= 0


def test_arithmetic_that_does_not_give_the_value_is_not_printed(filled: str) -> None:
    found = proof(filled, "EN:EN:AQ:1C", "no2")
    devices = [msgspec.convert(d, DeviceProof) for d in found["devices"][:2]]
    assert arithmetic(found["value"]["value"] + 0.001, devices, ()) == ""


@pytest.mark.parametrize("period", ["24h", "365d", "soon"])
def test_a_proof_is_of_a_calendar_period(filled: str, period: str) -> None:
    with pytest.raises(UsageError, match=r"use a calendar period|is not a valid period"):
        explain(filled, "EN:EN:AQ:1C", period=period)


def station(name: str, mean: float, people: float | None = None) -> DeviceProof:
    return DeviceProof(
        device=name, site="", kind="air_reference", quantity="no2", readings=10, flagged=0, hours=10, capture=1.0,
        mean=mean, sum=10 * mean, increase=0.0, interval_s=3600.0, people=people,
    )  # fmt: skip


def test_a_mean_weighted_by_people_is_reported_as_one() -> None:
    found = arithmetic(15.5, [station("a", 32.0, 100), station("b", 10.0, 300)], ())
    assert found == "mean weighted by people: (32 x 100 + 10 x 300) / 400 = 15.5"


@pytest.mark.parametrize(
    ("rule", "left_out"), [(False, ""), (True, "suspect: street doubled, confirmed (rule exclude_suspect)")]
)
def test_a_suspect_station_is_named_and_left_out_only_by_rule(rule: bool, left_out: str) -> None:
    city = City.model_validate({**tomllib.loads(CITY), "rules": {"exclude_suspect": rule}})
    period = parse_period("2018-01", city.zone)
    nothing: Any = lambda *_: (None, {})  # noqa: E731
    table = np.array([[744.0, 0.0, 744.0, 744 * 30.0, 744 * 3.6e6, 0.0, 0.0, 3.6e6]])
    sums = Sums({"no2": {"street": 0}}, lambda _: table)
    view = View(city, period, 744 * 3.6e6, sums, lambda *_: {}, lambda *_: np.zeros((1, 0)), nothing)
    read = Read()
    air = DERIVATIONS["EN:EN:AQ:1C"]
    plain = Derivation(air.kpi, air.method, _reads_no2)
    [part] = watching(plain, read).derive(view)
    value = msgspec.structs.replace(
        kpi_value(view, plain, part, period.end), notes="x; suspect: street doubled, confirmed; y"
    )
    street, *_ = proofs_of(value, plain, read)
    assert (street.suspect, street.left_out) == ("suspect: street doubled, confirmed", left_out)


def test_the_capture_of_a_device_that_came_later_is_given_for_its_own_time_too() -> None:
    """`park` came on 16 January 2018 and measured each of its 384 hours: 51.61 % of the month's 744."""
    raw = tomllib.loads(CITY)
    raw["device"][1]["since"] = "2018-01-16"
    city = City.model_validate(raw)
    period = parse_period("2018-01", city.zone)
    nothing: Any = lambda *_: (None, {})  # noqa: E731
    hours = [744.0, 384.0]
    table = np.array([[h, 0.0, h, h * 30.0, h * 3.6e6, 0.0, 0.0, 3.6e6] for h in hours])
    sums = Sums({"no2": {"street": 0, "park": 1}}, lambda _: table)
    view = View(city, period, 744 * 3.6e6, sums, lambda *_: {}, lambda *_: np.zeros((1, 0)), nothing)
    read = Read()
    air = DERIVATIONS["EN:EN:AQ:1C"]
    plain = Derivation(air.kpi, air.method, _reads_no2)
    [part] = watching(plain, read).derive(view)
    street, park, *_ = proofs_of(kpi_value(view, plain, part, period.end), plain, read)
    assert (street.capture, street.capture_in_service) == (1.0, 1.0)
    assert park.capture == pytest.approx(384 / 744)
    assert park.capture_in_service == pytest.approx(1.0)
    assert part_of_the_time(street) == ""
    said = "park no2: in service for 51.61 % of the period; 100.00 % of the hours of that time are valid"
    assert part_of_the_time(park) == said


def _reads_no2(view: View) -> list[Part]:
    rows = view.rows("no2", ("air_reference",))
    view.mark(rows.devices, rows.n > 0, "no2")
    return [Part(part="no2", value=float(rows.hour_sum[0] / rows.hours[0]), coverage=1.0, n_devices=1)]
