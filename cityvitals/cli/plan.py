"""`cityvitals plan`: the options of the planning commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cityvitals.cli import PLAN
from cityvitals.options import CityId, Seed, StoreUrl, TextForm, width

if TYPE_CHECKING:
    from planning.request import Asked

app = typer.Typer(help="Plan on measured curves: charging points, scenarios.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="plan", rich_help_panel=PLAN)
    app.command("charging")(plan_charging)
    app.command("scenario")(plan_scenario)
    app.command("transforms")(plan_transforms)


def plan_charging(
    points: Annotated[int, typer.Option("--points", help="Number of charging points.")],
    connection: Annotated[str, typer.Option("--connection", help="House connection: 63A, 3x63A or 1x25A.")] = "",
    sessions: Annotated[
        Path | None, typer.Option("--sessions", help="CSV: start,end,device,energy_kwh,user_hash; else by rule.")
    ] = None,
    kw: Annotated[float, typer.Option("--kw", help="Rated power of a point.")] = 11.0,
    city: Annotated[str, typer.Option("--city", help="The city whose meters give the building's load.")] = "",
    store: StoreUrl = "",
    meter: Annotated[list[str] | None, typer.Option("--meter", help="A meter of the building; repeatable.")] = None,
    feeder: Annotated[str, typer.Option("--feeder", help="A feeder of the city file: its meters, its rating.")] = "",
    period: Annotated[str, typer.Option("--period", help="Of the load: 2018, 2018-07 or 2018-08..2018-12.")] = "",
    km: Annotated[
        float | None, typer.Option("--km", help="Kilometres of a vehicle a year; else energy as recorded.")
    ] = None,
    consumption: Annotated[
        float, typer.Option("--consumption", help="Consumption at the plug in kWh per 100 km, with --km.")
    ] = 20.0,
    at_home: Annotated[float, typer.Option("--at-home", help="Share of energy charged here, with --km.")] = 0.9,
    shortfall: Annotated[
        float, typer.Option("--shortfall", help="Share of the energy that managed charging may leave out.")
    ] = 0.005,
    cheap_hour: Annotated[float, typer.Option("--cheap-hour", help="When the cheap tariff begins.")] = 22.0,
    least_kwh: Annotated[float, typer.Option("--least-kwh", help="Users with less in the period are left out.")] = 100,
    volts: Annotated[float, typer.Option("--volts", help="Between phases.")] = 400.0,
    cos_phi: Annotated[float, typer.Option("--cos-phi", help="Power factor.")] = 0.95,
    draws: Annotated[int, typer.Option("--draws", help="Random draws of users.")] = 300,
    seed: Seed = 1,
    form: TextForm = "text",
) -> None:
    """Calculate what n charging points of a building need.

    It uses recorded sessions and the building's own load; without --sessions, demand factors of another site.

    Example: cityvitals plan charging --points 40 --connection 63A --sessions sessions.csv.gz
    --city town --store sqlite:///town.db --meter meter-07 --period 2018
    """
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from planning.request import Asked  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    form_of(form)
    if not bool(store) == bool(city) == bool(period):
        raise UsageError("The building's load needs --city, --store and --period together; without it, none of them.")
    asked = Asked(
        points, kw, connection, volts, cos_phi, tuple(meter or ()), feeder, period, km, consumption, at_home,
        shortfall, cheap_hour, least_kwh, draws, seed,
    )  # fmt: skip
    sys.stdout.write(_charging(asked, sessions, (store, city), form))


def _charging(asked: Asked, sessions: Path | None, where: tuple[str, str], form: str) -> str:
    """The result as `text` or `json`; `where`: store and city, empty without a load beside the charging."""
    import msgspec  # noqa: PLC0415

    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from cityvitals.plan.charging import as_json, as_text, made, place_of, rule_text, ruled  # noqa: PLC0415
    from cityvitals.plan.options import today  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415

    place, as_of = place_of(existing_store(where[0]) if where[0] else None, where[1]), today()
    if sessions is None:
        rule = ruled(asked, place, as_of)
        return msgspec.json.encode(rule).decode() + "\n" if form == "json" else fitted(rule_text(rule), width())
    found = made(asked, sessions, place, as_of)
    return as_json(*found) if form == "json" else fitted(as_text(*found), width())


def plan_scenario(
    file: Annotated[Path, typer.Argument(help="The scenario file: [scenario] and [[transform]] entries.")],
    city: CityId,
    store: StoreUrl,
    period: Annotated[str, typer.Option("--period", help="2018, 2018-07 or 2018-08..2018-12.")],
    sessions: Annotated[Path | None, typer.Option("--sessions", help="Sessions, instead of the file's.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also values that do not change.")] = False,
    form: TextForm = "text",
) -> None:
    """Run a scenario on what a city measured.

    The same KPIs are shown, measured and planned, side by side.

    Example: cityvitals plan scenario electric.toml --city town --store sqlite:///town.db --period 2018
    """
    from cityvitals.clock import now_ms  # noqa: PLC0415
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from cityvitals.plan.options import form_of  # noqa: PLC0415
    from cityvitals.plan.scenario import as_json, as_text, outcome  # noqa: PLC0415

    form_of(form)
    found = outcome(existing_store(store), city, file, period, now_ms(), sessions)
    sys.stdout.write(as_json(found) if form == "json" else as_text(found, everything, width()))


def plan_transforms() -> None:
    """List what a scenario can change, with the options of each. Example: cityvitals plan transforms."""
    import msgspec  # noqa: PLC0415

    from planning.transforms import TRANSFORMS  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415

    for kind, transform in TRANSFORMS.items():
        fields = msgspec.structs.fields(transform.options)
        options = ", ".join(f.name + ("" if f.required else f" = {f.default}") for f in fields)
        sys.stdout.write(fitted(f"{kind}: {transform.text}\n    {options}\n", width()))
