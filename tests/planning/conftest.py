"""The meters of the invented towns stand for large buildings: loads of households are withheld, see test_api_plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api import devices


@pytest.fixture(autouse=True, scope="module")
def large_buildings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "MANY", 1)
        yield
