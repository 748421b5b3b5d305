"""A web form (`a=1&b=2`), as weather stations push it; read like a JSON object of texts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from telemetry.errors import Rejected


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
    """One object. Raises Rejected for what is not a form."""
    try:
        fields = parse_qsl(payload.decode("utf-8").strip(), keep_blank_values=True, strict_parsing=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise Rejected(f"not a form: {error}") from error
    return [dict(fields)]
