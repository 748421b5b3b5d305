"""What kind of reject a reason is, for the gateway's counters; the whole sentence is kept with the message. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# The first kind of which a word occurs in the reason. Reasons quote what was sent, so quoted text is taken out before.
_WORDS: dict[str, tuple[str, ...]] = {
    "limit": ("the limit is", "more than", "over ", "share of the buffer", "sent more", "budget"),
    "time": ("time ", " date", "dated", "older than", "cannot be dated", "ends before it starts", "clock"),
    "unit": ("unit", "multiplier", "scaler"),
    "name": (
        "unknown quantity",
        "names no",
        "no name",
        "cannot be an id",
        "no source",
        "unknown kind",
        "transactionId",
    ),
    "value": ("value", "decimal comma", "is a sum", "out of the", "flagged", "reports error"),
    "unreadable": (
        "not ",
        "checksum",
        "too early",
        "cannot be",
        "encrypted",
        "ciphered",
        "user_key",
        "codec",
        "version",
        "must be",
        "windows message with",
    ),
}
KINDS = (*_WORDS, "other")
_QUOTED = re.compile(r"(?<!\w)'.*?'(?!\w)")  # an apostrophe within a word is none


def kind_of(reason: str) -> str:
    """One of KINDS."""
    plain = _QUOTED.sub("", reason)
    return next((kind for kind, words in _WORDS.items() if any(word in plain for word in words)), "other")


def kinds_of(reasons: Iterable[str]) -> dict[str, int]:
    """How many reasons are of each kind, by the name of their counter."""
    return {f"gw_rejected_{kind}": n for kind, n in Counter(map(kind_of, reasons)).items()}
