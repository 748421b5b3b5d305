"""`cityvitals ledger`: the loss ledger of a period."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(ledger)


def ledger(
    city: Annotated[str, typer.Option("--city", help="The city's id.")],
    store: Annotated[str, typer.Option("--store", help="sqlite:///city.db or influxdb://host:8086/database")],
    period: Annotated[str, typer.Option("--period", help="2018, 2018-Q3, 2018-07 or 2018-07-01.")],
    form: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """Show sent, stored, rejected and missing records of a period, incomplete devices first.

    Example: cityvitals ledger --city aberdeen --store sqlite:///aberdeen.db --period 2026-11
    """
    from adapters.stores import existing_store  # noqa: PLC0415
    from cityvitals.operation.reconcile import accounts_as_of, as_text  # noqa: PLC0415
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
    sys.stdout.write(as_text(found, form, newest))
