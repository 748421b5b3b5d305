"""Gases by volume: factors against published ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.gases import MOLAR_MASS, compared, factor
from telemetry.quantities import QUANTITIES

# The fixed factors of the European Commission (20 degrees C, as printed in the guidance of its members), and those of
# the United States at 25 degrees C. They were printed with rounded molar masses, hence one in a thousand.
PUBLISHED = {("no2", 20): 1.9125, ("o3", 20): 1.9957, ("so2", 20): 2.6609, ("no2", 25): 1.88, ("o3", 25): 1.96,
             ("so2", 25): 2.62}  # fmt: skip


@pytest.mark.parametrize(("gas", "celsius"), PUBLISHED)
def test_the_factors_are_those_that_are_published(gas: str, celsius: int) -> None:
    assert factor(gas, celsius) == pytest.approx(PUBLISHED[gas, celsius], rel=1.2e-3)


@given(st.sampled_from(sorted(MOLAR_MASS)), st.floats(0.1, 2000), st.floats(-40, 50))
def test_a_mass_grows_with_the_density_of_the_air(gas: str, value: float, celsius: float) -> None:
    assert factor(gas, celsius) * (273.15 + celsius) == pytest.approx(factor(gas, 0) * 273.15)
    ppb, rest = compared(gas, value).split(" ppb by the publisher's factor ")
    publisher = QUANTITIES[gas].ug_per_ppb or 0.0
    assert float(ppb.replace(",", "")) == pytest.approx(value / publisher, rel=1e-5)
    assert f"{value / publisher * factor(gas, 20):,.6g} ug/m3 at 20" in rest


def test_particles_have_no_volume() -> None:
    assert compared("pm10", 20.0) == ""
    assert compared("", 20.0) == ""
