"""The name of a quantity in a file of the operator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

from telemetry.errors import nearest
from telemetry.quantities import QUANTITIES


def check_quantities(names: Iterable[str]) -> None:
    """Raises ValueError with the nearest name for the first that is not in the catalogue."""
    for name in names:
        if name not in QUANTITIES:
            raise ValueError(f"unknown quantity '{name}'; {nearest(name, QUANTITIES)}")


def _checked(name: str) -> str:
    check_quantities([name])
    return name


Quantity = Annotated[str, AfterValidator(_checked)]
