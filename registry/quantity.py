"""The name of a quantity in a file of the operator."""

from __future__ import annotations

import re
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


_UNKNOWN = re.compile(r"unknown quantity '([^']*)'")


def with_nearest(reason: str) -> str:
    """The reason of a reject for a person: with the nearest name beside an unknown quantity.

    Not for each message of a device: finding the nearest name takes longer than decoding a message.
    """

    def beside(found: re.Match[str]) -> str:
        hint = nearest(found[1], QUANTITIES)
        return f"{found[0]} ({hint})" if hint.startswith("did you") else found[0]

    return _UNKNOWN.sub(beside, reason)


def _checked(name: str) -> str:
    check_quantities([name])
    return name


Quantity = Annotated[str, AfterValidator(_checked)]
