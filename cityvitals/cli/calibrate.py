"""`cityvitals calibrate`: the options."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cityvitals.cli import BRING_IN
from cityvitals.options import CityFile, StoreUrl, TextForm


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=BRING_IN)(calibrate)


def calibrate(
    device: Annotated[str, typer.Argument(help="The device to calibrate.")],
    city: CityFile,
    store: StoreUrl,
    against: Annotated[str, typer.Option("--against", help="The co-located reference.")],
    quantity: Annotated[str, typer.Option("--quantity", help="The quantity to calibrate, such as pm2_5.")],
    period: Annotated[str, typer.Option("--period", help="2018-07, or a range: 2018-07-15..2018-09-14.")],
    humidity: Annotated[bool, typer.Option(help="Fit a term for the device's own relative humidity.")] = False,
    valid_from: Annotated[str, typer.Option(help="Start of validity; default: the period's first day.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Add the entry to the city file.")] = False,
    form: TextForm = "text",
) -> None:
    """Fit a device to a co-located reference.

    The calibration entry is printed, or written to the city file.

    Example: cityvitals calibrate 8554 --against union-street --quantity pm2_5 --period 2018-07..2018-08
    --city aberdeen.toml --store sqlite:///aberdeen.db --humidity --write
    """
    from cityvitals.calibrate import as_json, as_text, colocate  # noqa: PLC0415
    from cityvitals.calibrate import write as write_entry  # noqa: PLC0415
    from cityvitals.past_store import existing_store, say_if_older  # noqa: PLC0415
    from registry.config import load_city  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415

    if form not in ("text", "json"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['text', 'json'])}")
    known = load_city(city)
    opened = existing_store(store)
    say_if_older(opened, city, store)
    made = colocate(opened, known, device, against, quantity, period, valid_from, humidity)
    sys.stdout.write(as_json(made) if form == "json" else as_text(made))
    if write:
        write_entry(city, made)
    command = f"cityvitals kpi backfill --city {city} --store {store}"
    done = f"Written to {city}." if write else f"Not written; --write adds it to {city}."
    sys.stderr.write(f"{done} To recalculate the affected KPIs: {command}\n")
