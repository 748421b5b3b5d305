"""`cityvitals measure`: the options of the commands that estimate whether a measure had an effect."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cityvitals.cli import PLAN
from cityvitals.options import CityId, Seed, StoreUrl, TextForm, width

app = typer.Typer(help="Effects of measures against a reference, with intervals.", no_args_is_help=True)

Site = Annotated[str, typer.Option("--site", help="The device where the measure was taken.")]
Reference = Annotated[str, typer.Option("--reference", help="A device that the measure does not affect; required.")]
Quantity = Annotated[str, typer.Option("--quantity", help="The quantity to compare, such as no2.")]


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="measure", rich_help_panel=PLAN)
    app.command("effect")(measure_effect)
    app.command("change")(measure_change)
    app.command("savings")(measure_savings)


def measure_effect(
    site: Site,
    reference: Reference,
    quantity: Quantity,
    after: Annotated[str, typer.Option("--after", help="When the measure was in force: 2018-07..2018-12.")],
    city: CityId,
    store: StoreUrl,
    back: Annotated[int, typer.Option("--back", help="Compare with this many times 364 days before.")] = 1,
    weather: Annotated[list[str] | None, typer.Option("--weather", help="device:quantity to adjust for.")] = None,
    seed: Seed = 1,
    form: TextForm = "text",
) -> None:
    """Estimate what a measure changed at a site.

    The effect is the change beyond that of a reference, before and after.

    Example: cityvitals measure effect --site ring-road --reference park --quantity no2 --after 2019-01..2019-06
    --city town --store sqlite:///town.db
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from cityvitals.plan.measure import as_json, as_text  # noqa: PLC0415
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from planning.measures import effect  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415

    form_of(form)
    opened = existing_store(store)
    found = effect(opened, stored_city(opened, city), site, reference, quantity, after, back, weather or [], seed)
    sys.stdout.write(as_json(found) if form == "json" else fitted(as_text(found, reference), width()))


def measure_change(
    site: Site,
    reference: Reference,
    quantity: Quantity,
    period: Annotated[str, typer.Option("--period", help="The period to search: 2018 or 2017-06..2018-12.")],
    city: CityId,
    store: StoreUrl,
    seed: Seed = 1,
    form: TextForm = "text",
) -> None:
    """Find when a site changed against its reference.

    The result states how likely such a change is by chance.

    Example: cityvitals measure change --site ring-road --reference park --quantity no2 --period 2018
    --city town --store sqlite:///town.db
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from cityvitals.plan.measure import as_json, as_text  # noqa: PLC0415
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from planning.measures import change  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415

    form_of(form)
    opened = existing_store(store)
    found = change(opened, stored_city(opened, city), site, reference, quantity, period, seed)
    sys.stdout.write(as_json(found) if form == "json" else fitted(as_text(found, reference), width()))


def measure_savings(
    meter: Annotated[str, typer.Option("--meter", help="The building's electricity meter.")],
    reference: Annotated[
        str, typer.Option("--reference", help="A building that the measure does not affect; required.")
    ],
    temperature: Annotated[str, typer.Option("--temperature", help="device:quantity of the air temperature.")],
    before: Annotated[str, typer.Option("--before", help="The baseline: 2017 or 2017-01..2017-12.")],
    after: Annotated[str, typer.Option("--after", help="When the measure was in force.")],
    city: CityId,
    store: StoreUrl,
    seed: Seed = 1,
    form: TextForm = "text",
) -> None:
    """Estimate what a building saved beyond another one.

    Both periods are compared at the same weather.

    Example: cityvitals measure savings --meter school --reference library --temperature mast:temperature
    --before 2017 --after 2018 --city town --store sqlite:///town.db
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from cityvitals.plan.measure import as_json, as_text  # noqa: PLC0415
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from planning.measures import saved  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415

    form_of(form)
    opened = existing_store(store)
    found = saved(opened, stored_city(opened, city), meter, reference, temperature, before, after, seed)
    sys.stdout.write(as_json(found) if form == "json" else fitted(as_text(found, reference), width()))
