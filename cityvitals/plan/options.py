"""Options and checks that the planning commands share."""

from __future__ import annotations

from datetime import UTC, date, datetime

from cityvitals.clock import now_ms
from telemetry.errors import UsageError, nearest


def form_of(form: str) -> None:
    """Raise UsageError for another output form than text or json."""
    if form not in ("text", "json"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['text', 'json'])}")


def today() -> date:
    """The date, UTC."""
    return datetime.fromtimestamp(now_ms() / 1000, tz=UTC).date()
