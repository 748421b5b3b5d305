"""The golden numbers of groups, outliers and distances, and laws of each."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.region.groups import check_group, kostra
from reporting.region.statistics import far, gower, quartiles, robust_z
from telemetry.errors import UsageError


def test_the_kostra_groups_are_356_municipalities() -> None:
    groups = kostra()
    assert len(groups) == 17
    assert sum(g.municipalities for g in groups.values()) == 356
    assert [g.municipalities for g in groups.values()] == [
        39,
        18,
        9,
        39,
        33,
        28,
        38,
        13,
        27,
        13,
        10,
        11,
        1,
        25,
        36,
        8,
        8,
    ]
    assert (groups["kostra-2020/13"].note, groups["kostra-2020/7"].inhabitants) == ("Oslo", (10_000, 19_999))


def test_a_city_outside_of_its_group_is_noted_and_an_unknown_group_is_an_error() -> None:
    assert check_group("kostra-2020/7", 25_000) == "25,000 inhabitants are not within 10,000 to 19,999 of kostra-2020/7"
    assert check_group("kostra-2020/7", 15_000) == check_group("coast", 1) == ""
    with pytest.raises(UsageError, match="has the groups 1 to 17"):
        check_group("kostra-2020/18", None)


def test_quartiles_are_interpolated_linearly() -> None:
    q = quartiles([1.0, 2.0, 3.0, 4.0])
    assert q is not None
    assert (q.lowest, q.q1, q.median, q.q3, q.highest) == (1.0, 1.75, 2.5, 3.25, 4.0)
    assert quartiles([]) is None


def test_robust_z_by_hand() -> None:
    """Median 10.5 and MAD 2.5 of 6 to 15; 30 is 0.6745 * 19 / 3 away once it is there (median 11, MAD 3)."""
    values = {f"c{i}": float(i) for i in range(6, 16)}
    z = robust_z(values)
    assert z is not None
    assert z["c15"] == pytest.approx(0.6745 * 4.5 / 2.5)
    found = far({**values, "odd": 30.0})
    assert found is not None
    assert list(found) == ["odd"]
    assert found["odd"] == pytest.approx(0.6745 * 19 / 3)


def test_few_cities_and_equal_cities_are_too_few_to_say() -> None:
    assert far({f"c{i}": float(i) for i in range(9)}) is None
    assert far({f"c{i}": 1.0 for i in range(12)} | {"x": 99.0}) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=40), st.floats(0.1, 10), st.floats(-100, 100))
def test_robust_z_does_not_depend_on_the_unit(values: list[float], factor: float, shift: float) -> None:
    one = robust_z({str(i): v for i, v in enumerate(values)})
    other = robust_z({str(i): factor * v + shift for i, v in enumerate(values)})
    if one is not None and other is not None and max(map(abs, one.values())) < 1e4:
        assert list(other.values()) == pytest.approx(list(one.values()), rel=1e-3, abs=1e-3)


CITIES: dict[str, dict[str, float | None]] = {
    "a": {"population": 1000.0, "density": 10.0, "income": 1.0},
    "b": {"population": 10_000.0, "density": 20.0, "income": None},
    "c": {"population": 100_000.0, "density": 30.0, "income": 3.0},
}


def test_gower_by_hand() -> None:
    """Population in log: a to b is half of the range; density too; income is missing in b and so left out."""
    near, apart = gower(CITIES, "a")
    assert (near.city, near.variables) == ("b", ("density", "population"))
    assert (apart.city, apart.variables) == ("c", ("density", "income", "population"))
    assert [near.distance, apart.distance] == pytest.approx([0.5, 1.0])


@given(st.lists(st.tuples(*[st.floats(1, 1e6)] * 3), min_size=2, max_size=12))
def test_gower_is_symmetric_and_between_0_and_1(rows: list[tuple[float, float, float]]) -> None:
    cities = {str(i): dict(zip(("population", "density", "income"), r, strict=True)) for i, r in enumerate(rows)}
    for d in gower(cities, "0"):
        assert 0 <= d.distance <= 1 + 1e-12
        back = next(b for b in gower(cities, d.city) if b.city == "0")
        assert back.distance == pytest.approx(d.distance)


def test_a_variable_that_is_the_same_everywhere_says_nothing() -> None:
    assert gower({"a": {"x": 1.0}, "b": {"x": 1.0}}, "a") == []
    assert math.isclose(np.log(10), math.log(10))
