"""`cityvitals forecast`: the options."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(forecast)


def forecast(
    city: Annotated[str, typer.Option("--city", help="The city's id.")],
    store: Annotated[str, typer.Option("--store", help="sqlite:///city.db or influxdb://host:8086/database")],
    quantity: Annotated[str, typer.Option("--quantity", help="load, or a quantity of a device like no2.")] = "load",
    device: Annotated[str, typer.Option("--device", help="The device, unless the load is requested.")] = "",
    at: Annotated[str, typer.Option("--at", help="As it would have been made on this date; else now.")] = "",
    peak: Annotated[
        bool, typer.Option("--peak", help="This month's peak so far instead, for capacity tariffs.")
    ] = False,
    limit: Annotated[float | None, typer.Option("--limit", help="Limit in kW, with --peak.")] = None,
    form: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Forecast the next 48 hours, with the measured error; shown only where better than the week before.

    Example: cityvitals forecast --city town --store sqlite:///town.db --quantity no2 --device station-01
    """
    import msgspec  # noqa: PLC0415

    from adapters.stores import existing_store  # noqa: PLC0415
    from cityvitals.clock import now_ms  # noqa: PLC0415
    from cityvitals.plan.forecast import as_json, as_text, made, moment_of, peak_text  # noqa: PLC0415
    from cityvitals.plan.forecast import peak as month_peak  # noqa: PLC0415
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415

    form_of(form)
    opened = existing_store(store)
    moment = moment_of(at, stored_city(opened, city)) if at else None
    if peak:
        so_far = month_peak(opened, city, now_ms() if moment is None else moment, limit)
        plain = msgspec.json.encode(so_far._asdict()).decode() + "\n"
        sys.stdout.write(plain if form == "json" else peak_text(so_far))
        return
    found, unit = made(opened, city, quantity, device, now_ms(), moment)
    sys.stdout.write(as_json(found, unit) if form == "json" else as_text(found, unit))
