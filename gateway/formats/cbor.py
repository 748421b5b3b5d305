"""CBOR (RFC 8949), read like JSON."""

from __future__ import annotations

from typing import Any

import cbor2

from telemetry.errors import Rejected


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """The value of a payload. Raises Rejected."""
    try:
        return [cbor2.loads(payload)]
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise Rejected(f"not CBOR: {error}") from error
