"""LoRaWAN uplinks that arrive as bytes only: decoded by the city's own JavaScript codec (option `codec`, a file).

The result stands in `decoded`, beside what the network server sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.codec import Codec, uplink
from gateway.formats import Read, json
from telemetry.errors import UsageError


def reader(options: dict[str, Any]) -> Read:
    """A reader with this codec. Without one, uplinks are read as they are. Raises UsageError."""
    if set(options) - {"codec"}:
        raise UsageError("The format 'lorawan' has the option `codec`.")
    codec = Codec(Path(str(options["codec"]))) if options else None

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:
        documents = json.read(payload, levels)
        if codec is None:
            return documents
        return [{**d, "decoded": codec.decode(*found)} if (found := uplink(d)) is not None else d for d in documents]

    return read
