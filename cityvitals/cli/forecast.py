"""`cityvitals forecast`: the options."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cityvitals.cli import PLAN
from cityvitals.options import CityId, StoreUrl, TextForm


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=PLAN)(forecast)


def forecast(
    city: CityId,
    store: StoreUrl,
    quantity: Annotated[str, typer.Option("--quantity", help="load, or a quantity of a device like no2.")] = "load",
    device: Annotated[str, typer.Option("--device", help="The device, unless the load is requested.")] = "",
    at: Annotated[str, typer.Option("--at", help="The forecast as of this date; default: now.")] = "",
    peak: Annotated[
        bool, typer.Option("--peak", help="Show this month's peak so far instead, for capacity tariffs.")
    ] = False,
    limit_kw: Annotated[float | None, typer.Option("--limit-kw", help="Limit in kW, with --peak.")] = None,
    form: TextForm = "text",
) -> None:
    """Forecast the next 48 hours, with the measured error.

    It is shown only where past forecasts beat the same hour of the week before.

    Example: cityvitals forecast --city town --store sqlite:///town.db --quantity no2 --device station-01
    """
    import msgspec  # noqa: PLC0415

    from cityvitals.clock import now_ms  # noqa: PLC0415
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from cityvitals.plan.forecast import as_json, as_text, moment_of, peak_text  # noqa: PLC0415
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from planning.outlook import made  # noqa: PLC0415
    from planning.outlook import peak as month_peak  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415

    form_of(form)
    opened = existing_store(store)
    known = stored_city(opened, city)
    moment = moment_of(at, known) if at else None
    if peak:
        so_far = month_peak(opened, known, now_ms() if moment is None else moment, limit_kw)
        plain = msgspec.json.encode(so_far._asdict()).decode() + "\n"
        sys.stdout.write(plain if form == "json" else peak_text(so_far))
        return
    found, unit = made(opened, known, quantity, device, now_ms(), moment)
    sys.stdout.write(as_json(found, unit) if form == "json" else as_text(found, unit))
