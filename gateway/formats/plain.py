"""One bare value a message, as ESPHome, OpenEVSE or evcc send it; the topic's `{name}` names its quantity.

The payload is a number, a number as text, or a word such as `unavailable`.
"""

from __future__ import annotations

from typing import Any

from telemetry.errors import Rejected


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:
    """One object with one member, named by the topic. Raises Rejected for what is not text."""
    try:
        text = payload.decode("utf-8").strip(" \t\r\n\0")
    except UnicodeDecodeError as error:
        raise Rejected(f"not text: {error}") from error
    if text[:1] == text[-1:] == '"' and len(text) > 1:
        text = text[1:-1]
    return [{levels.get("name", "value"): text}] if text else []
