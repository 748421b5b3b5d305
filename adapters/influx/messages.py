"""What an answer of InfluxDB says: its message, and how long the server asks to wait."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec


def seconds(headers: Mapping[str, str]) -> float:
    """The Retry-After of an answer in seconds: a number, or a date (RFC 9110) by the server's own Date; 0 without."""
    asked = headers.get("Retry-After", "")
    if asked.isdecimal() and len(asked) < 7:
        return float(asked)
    try:
        until, now = (parsedate_to_datetime(text) for text in (asked, headers.get("Date", "")))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def sentence(body: str) -> str:
    """The server's message: {"error": ...} of 1.x and 3, {"message": ...} of 2, or the body.

    Version 3 lists the refused lines of a partial write: their number and the first reason are added.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        fields = {}
    if isinstance(lines := fields.get("data"), list) and lines:
        return f"{fields.get('error')}, {len(lines)} lines refused: {lines[0].get('error_message')}"
    return str(fields.get("error") or fields.get("message") or body).strip().rstrip(".") or "no reason given"
