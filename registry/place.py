"""Where a device stands, as people enter it. Apart, because a server needs it that never writes a city file."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where a device stands: what people call it, and degrees north and east."""

    site: str = ""
    lat: float | None = None
    lon: float | None = None
