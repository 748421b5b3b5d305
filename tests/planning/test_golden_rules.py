"""Assumptions of planners and regulators against their printed numbers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from planning.charging.coincidence import HEAT_PUMPS, MANAGED_KW_PER_BAY, din_18015, din_factor, fit_kerber, kerber
from planning.charging.connection import Connection, ageing_rate, hot_spot
from planning.charging.dimming import FACTORS, Controllable, factor, shared_floor, single_floor
from telemetry.errors import UsageError

DAY = date(2026, 11, 27)


@pytest.mark.parametrize(("n", "kw"), [(1, 4.2), (2, 7.56), (3, 10.5), (9, 19.32), (10, 21.21), (20, 40.11)])
def test_the_floor_of_n_ordinary_devices(n: int, kw: float) -> None:
    assert shared_floor([Controllable(11.0)] * n, DAY) == pytest.approx(kw, abs=1e-9)


def test_the_floor_with_a_large_heat_pump() -> None:
    devices = [Controllable(20.0, "heat_pump"), Controllable(11.0), Controllable(10.0, "storage")]
    assert shared_floor(devices, DAY) == pytest.approx(14.3, abs=1e-9)


@pytest.mark.parametrize(
    ("device", "kw"),
    [
        (Controllable(20.0, "heat_pump"), 8.0),
        (Controllable(9.0, "heat_pump"), 4.2),
        (Controllable(22.0), 4.2),
        (Controllable(3.0), None),
    ],
)
def test_the_floor_of_a_single_device(device: Controllable, kw: float | None) -> None:
    found = single_floor(device)
    assert found is None if kw is None else found == pytest.approx(kw)
    assert shared_floor([device], DAY) == (None if kw is None else pytest.approx(kw))


@pytest.mark.parametrize(("everything", "kw"), [(False, 11.9), (True, 15.5)])
def test_whether_small_heat_pumps_are_scaled_is_a_parameter(everything: bool, kw: float) -> None:
    devices = [Controllable(9.0, "heat_pump"), Controllable(14.0, "heat_pump"), Controllable(22.0)]
    assert shared_floor(devices, DAY, everything) == pytest.approx(kw, abs=1e-9)


def test_small_devices_do_not_count() -> None:
    assert shared_floor([Controllable(3.0)] * 5, DAY) is None
    assert shared_floor([Controllable(11.0), Controllable(3.0)], DAY) == pytest.approx(4.2)


def test_the_factors_are_a_dated_table() -> None:
    assert [factor(n, DAY) for n in range(2, 10)] == [0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.50, 0.45]
    assert factor(500, DAY) == 0.45
    assert FACTORS[0][0] == date(2024, 1, 1)


@pytest.mark.parametrize(("n", "g"), [(1, 1.0), (2, 0.9595), (5, 0.9299), (10, 0.9178), (50, 0.9053), (150, 0.9023)])
def test_kerbers_curve_for_heat_pumps(n: int, g: float) -> None:
    assert kerber(n, HEAT_PUMPS) == pytest.approx(g, abs=0.00005)


@pytest.mark.parametrize(("exponent", "g_inf", "rmse"), [(0.75, 0.200, 0.017), (0.5, 0.0704, 0.021)])
def test_the_fit_of_the_london_homes(exponent: float, g_inf: float, rmse: float) -> None:
    counts = [1, 2, 3, 5, 10, 20, 30, 40, 50]
    factors = np.array([1, 0.712, 0.564, 0.463, 0.346, 0.284, 0.252, 0.234, 0.225796])
    found = fit_kerber(counts, factors, exponent)
    assert found.g_inf == pytest.approx(g_inf, abs=0.0005)
    assert found.rmse == pytest.approx(rmse, abs=0.0005)


@pytest.mark.parametrize(("n", "kva", "g"), [(1, 15, 1), (3, 30, 0.67), (10, 55, 0.37), (100, 110, 0.07)])
def test_din_18015_without_electric_hot_water(n: int, kva: float, g: float) -> None:
    assert din_18015(n, False) == pytest.approx(kva)
    assert din_factor(n, False) == pytest.approx(g, abs=0.005)


def test_din_18015_with_electric_hot_water() -> None:
    assert [din_18015(1, True), din_18015(24, True)] == pytest.approx([34, 140])
    assert din_factor(24, True) == pytest.approx(0.172, abs=0.0005)
    with pytest.raises(UsageError, match="1 to 24 dwellings"):
        din_18015(25, True)


def test_the_practitioners_rule_for_a_garage_of_100_bays() -> None:
    assert (100 * MANAGED_KW_PER_BAY, 100 * 11.0) == (100, 1100)


def test_a_connection_of_63_a() -> None:
    assert Connection(63).kva == pytest.approx(43.65, abs=0.005)
    assert Connection(63).kw == pytest.approx(43.65 * 0.95, abs=0.005)


@pytest.mark.parametrize(("hot", "rate"), [(98, 1), (104, 2), (110, 4)])
def test_ageing_of_normal_paper(hot: float, rate: float) -> None:
    assert float(ageing_rate(hot)) == pytest.approx(rate)


def test_a_transformer_at_its_rating_in_20_degrees_ages_at_the_normal_rate() -> None:
    assert float(hot_spot(np.array(1.0), 20.0)) == pytest.approx(98.0)
