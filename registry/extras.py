"""Libraries that come with an extra: a missing one is a sentence that says how to install it."""

from __future__ import annotations

from importlib.util import find_spec

from telemetry.errors import CityVitalsError


def need(extra: str, *modules: str) -> None:
    """Raises CityVitalsError where a library of the extra is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise CityVitalsError(f"{', '.join(missing)} is not installed; run: pip install 'cityvitals[{extra}]'")
