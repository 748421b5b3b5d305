"""Why a value is missing, for programs, where a derivation says it in words only. Pure."""

from __future__ import annotations

import re

from telemetry.kpi_value import Reason

_FORMS: tuple[tuple[str, Reason], ...] = (
    (r"\bset [a-z_ ]+", "missing_setting"),
    (r"calculated for calendar periods only", "not_for_period"),
    (r"\bno\b[^;]*\b(is registered|of the city measures it)|no export register \(", "no_device"),
    (r"nothing was (supplied|generated)", "undefined"),
    (r"\bno\b[^;]*\bin the period|was read|reported its state|has an end", "no_data"),
)


def reason_in(notes: str) -> Reason:
    """The reason that the notes of a missing value give; too little data where they give no other."""
    return next((reason for form, reason in _FORMS if re.search(form, notes)), "low_coverage")
