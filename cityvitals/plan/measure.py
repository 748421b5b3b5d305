"""`cityvitals measure`: the answer as text or JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from planning.effects import ChangePoint, Effect
from planning.savings import Savings
from telemetry.periods import iso


def as_plain(found: Effect | ChangePoint | Savings) -> dict[str, Any]:
    """The result as plain types."""
    return {name: value._asdict() if hasattr(value, "_asdict") else value for name, value in found._asdict().items()}


def as_json(found: Effect | ChangePoint | Savings) -> str:
    """The result as JSON."""
    return msgspec.json.format(msgspec.json.encode(as_plain(found), enc_hook=float), indent=2).decode() + "\n"


def as_text(found: Effect | ChangePoint | Savings, reference: str) -> str:
    """The result in sentences."""
    lines = [found.sentence]
    if isinstance(found, ChangePoint):
        lines.append(f"Most likely in the week of {iso(found.at)[:10]}, against {reference}.")
    elif isinstance(found, Effect):
        i = found.interval
        lines.append(
            f"{found.method}, against {reference}: {i.hours:,} hours in {i.blocks} weeks; "
            f"{100 * found.missing:.1f} % of the hours had no value at one of the two."
        )
    else:
        i = found.kwh
        lines.append(
            f"Against {reference}, over {i.hours} days; baseline: CV(RMSE) {100 * found.cv_rmse:.1f} %, NMBE "
            f"{100 * found.nmbe:+.2f} % by month."
        )
    return "\n".join(lines) + "\n"
