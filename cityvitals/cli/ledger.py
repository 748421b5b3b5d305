"""`cityvitals ledger`: the loss ledger of a period."""

from __future__ import annotations

import sys

import typer

from cityvitals.cli import OPERATE
from cityvitals.options import CityId, PeriodText, StoreUrl, TableForm, width


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=OPERATE)(ledger)


def ledger(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    form: TableForm = "table",
) -> None:
    """Show sent, stored, rejected and missing records by device.

    Incomplete devices come first.

    Example: cityvitals ledger --city aberdeen --store sqlite:///aberdeen.db --period 2026-11
    """
    from cityvitals.operation.reconcile import accounts_as_of, as_text  # noqa: PLC0415
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415
    from telemetry.periods import ROLLING, parse_period  # noqa: PLC0415

    if form not in ("table", "json"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['table', 'json'])}")
    if period in ROLLING:
        raise UsageError(
            "The ledger is calculated for calendar periods only; use --period 2018, 2018-Q3, 2018-07 or 2018-07-01."
        )
    opened = existing_store(store)
    zone = stored_city(opened, city).zone
    found, newest = accounts_as_of(opened, city, parse_period(period, zone))
    sys.stdout.write(as_text(found, form, newest, width()))
