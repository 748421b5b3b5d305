"""Units: every spelling devices send becomes the catalogue's unit; what does not fit is refused."""

from __future__ import annotations

import math

import pytest

from telemetry.quantities import QUANTITIES, conversion, modulus
from telemetry.units import canonical, names

# quantity, sent unit, sent value, value in the catalogue's unit
CASES = [
    ("no2", "ppb", 10.0, 19.0),
    ("nox", "ppb", 10.0, 19.0),
    ("o3", "ppb", 10.0, 19.6),
    ("so2", "ppb", 10.0, 26.2),
    ("no2", "ppm", 0.01, 19.0),
    ("pm10", "mg/m3", 0.05, 50.0),
    ("co", "ug/m3", 1500.0, 1.5),
    ("temperature", "degF", 212.0, 100.0),
    ("temperature", "°F", 32.0, 0.0),
    ("temperature", "K", 273.15, 0.0),
    ("energy_total", "Wh", 1234.0, 1.234),
    ("energy_total", "wh", 1234.0, 1.234),
    ("energy_total", "MWh", 1.5, 1500.0),
    ("energy_delta", "J", 3.6e6, 1.0),
    ("heat_total", "GJ", 3.6, 1000.0),
    ("power", "kW", 1.5, 1500.0),
    ("power", "kw", 1.5, 1500.0),
    ("current", "mA", 250.0, 0.25),
    ("voltage", "mV", 230000.0, 230.0),
    ("no2_we", "V", 0.25, 250.0),
    ("pressure", "Pa", 101325.0, 1013.25),
    ("pressure", "kPa", 101.325, 1013.25),
    ("water_total", "l", 1500.0, 1.5),
    ("water_total", "m³", 1.5, 1.5),
    ("connected_time", "min", 2.0, 120.0),
    ("connected_time", "h", 0.5, 1800.0),
    ("uptime", "ms", 1500.0, 1.5),
    ("humidity", "%", 55.0, 55.0),
    ("ring_fill", "%", 55.0, 55.0),
    ("ring_fill", "%RH", 55.0, 55.0),
    ("laeq", "dB(A)", 60.0, 60.0),
    ("power_factor", "1", 0.9, 0.9),
    ("co2", "ppm", 400.0, 400.0),
    # the spellings and units of the field
    ("pm2_5", "µg/m³", 12.0, 12.0),
    ("no2", "ugm-3", 40.0, 40.0),
    ("no2", "ug.m-3", 40.0, 40.0),
    ("no2", "ugm-3 (Ref.eq)", 40.0, 40.0),
    ("no2", "GQ", 40.0, 40.0),
    ("no2", "GP", 0.04, 40.0),
    ("co", "ppb", 400.0, 0.466),
    ("co", "ppm", 0.4, 0.466),
    ("pressure", "mbar", 1013.0, 1013.0),
    ("pressure", "inHg", 29.92, 1013.2075888),
    ("temperature", "F", 68.0, 20.0),
    ("temperature", "℃", 20.5, 20.5),
    ("power", "MW", 1.2, 1_200_000.0),
    ("power", "mW", 1200.0, 1.2),
    ("energy_total", "MJ", 3.6, 1.0),
    ("energy_total", "Wmin", 60_000.0, 1.0),
    ("energy_total", "GWh", 0.001, 1000.0),
    ("energy_total", "KWH", 5.0, 5.0),
    ("water_total", "gal", 100.0, 0.3785411784),
    ("water_total", "L", 1500.0, 1.5),
    ("humidity", "/", 0.54, 54.0),
    ("power_factor", "%", 85.0, 0.85),
]


@pytest.mark.parametrize(("quantity", "unit", "sent", "meant"), CASES)
def test_a_value_is_converted(quantity: str, unit: str, sent: float, meant: float) -> None:
    found = conversion(QUANTITIES[quantity], unit)
    assert found is not None
    assert math.isclose(found.apply(sent), meant, rel_tol=1e-12, abs_tol=1e-9)


@pytest.mark.parametrize("spelling", sorted(names()))
def test_every_spelling_is_taken_where_its_unit_is(spelling: str) -> None:
    unit = canonical(spelling)
    assert unit is not None
    assert all(conversion(q, spelling) == conversion(q, unit) for q in QUANTITIES.values() if q.unit != spelling)


def test_a_prefix_in_the_wrong_case_is_not_guessed() -> None:
    assert canonical("mw") is None  # milli or mega?
    assert canonical("mwh") is None
    assert (canonical("mW"), canonical("MW")) == ("mW", "MW")


@pytest.mark.parametrize("spelling", ["µg/m3", "μg/m3", "µg/m³", "ug/m³", "ug/m^3", "ug/m3"])
def test_all_spellings_of_micrograms_are_one(spelling: str) -> None:
    found = conversion(QUANTITIES["pm2_5"], spelling)
    assert found is not None
    assert found.apply(12.3) == 12.3


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("pm10", "ppb"), ("co", "mw"), ("no2", "Cel"), ("temperature", "V"), ("energy_total", "kW"), ("power", "kWh"),
     ("no2", ""), ("no2", "ug"), ("co2", "ug/m3")],
)  # fmt: skip
def test_a_unit_that_does_not_fit_is_refused(quantity: str, unit: str) -> None:
    assert conversion(QUANTITIES[quantity], unit) is None


def test_every_quantity_takes_its_own_unit_unchanged() -> None:
    for quantity in QUANTITIES.values():
        found = conversion(quantity, quantity.unit)
        assert found is not None
        assert found.apply(0.1) == 0.1


def test_only_counters_have_a_modulus() -> None:
    for quantity in QUANTITIES.values():
        assert math.isnan(modulus(quantity.id)) == (quantity.kind != "counter")


def test_no_accepted_value_is_one_by_which_instruments_say_none() -> None:
    for quantity in QUANTITIES.values():
        assert quantity.low < quantity.high
        # Air is never at 0 % humidity, and it is what a sensor without its element reads.
        accepted = [s for s in quantity.sentinels if quantity.low <= s <= quantity.high]
        assert accepted == ([0.0] if quantity.id == "humidity" else []), quantity.id
