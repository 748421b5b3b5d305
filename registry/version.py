"""The version of CityVitals: of the git tag it was built from, between tags of the revision."""

from __future__ import annotations

from functools import cache
from importlib import metadata

UNKNOWN = "0+unknown"  # the folder is on the path, but was never installed


@cache
def version() -> str:
    """Version of the installed package, as in `0.2.0` or `0.2.1.dev3+g1a2b3c4`."""
    try:
        return metadata.version("cityvitals")
    except metadata.PackageNotFoundError:
        return UNKNOWN
