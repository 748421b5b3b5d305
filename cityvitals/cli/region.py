"""The commands `cityvitals region ...`: many cities measured by one standard."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import CITIES
from cityvitals.options import Codes, Form, GroupName, PeriodText, RegionName, StoreUrl, width

app = typer.Typer(help="Many cities: import their figures, compare and group them.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="region", rich_help_panel=CITIES)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or .csv.gz: city,code,part,year,value,...,source,quality")],
    store: StoreUrl,
    cities: Annotated[Path | None, typer.Option(help="CSV of cities: id,name,country,timezone,population,...")] = None,
    targets: Annotated[Path | None, typer.Option(help="A file of [[target]] entries that every city gets.")] = None,
    strict: Annotated[bool, typer.Option(help="Also reject figures that a verifier would question.")] = False,
) -> None:
    """Check and store the yearly figures of many cities, all or none.

    Example: cityvitals region import norway.csv --cities cities.csv --targets targets.toml --store sqlite:///norway.db
    """
    from adapters.stores import open_store  # noqa: PLC0415
    from cityvitals.region import import_command  # noqa: PLC0415

    sys.stdout.write(import_command(open_store(store), file, cities, targets, strict, time.time_ns() // 1_000_000))


@app.command()
def show(
    store: StoreUrl,
    period: PeriodText,
    region: RegionName = "",
    group: GroupName = "",
    code: Codes = None,
    form: Form = "table",
) -> None:
    """Show a region's profile, one line a figure.

    It has the mean of evaluations, value as one area, quartiles, people, cities far from their group.

    Example: cityvitals region show --store sqlite:///norway.db --period 2025 --group kostra-2020/7
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.region.queries import region_profile  # noqa: PLC0415
    from reporting.region.text import profile_text  # noqa: PLC0415
    from reporting.show import wanted_codes  # noqa: PLC0415

    wanted = set(wanted_codes(code)) if code else None
    found = region_profile(existing_store(store), period, region, group)
    sys.stdout.write(profile_text([p for p in found if wanted is None or p.code in wanted], form, width()))


@app.command("heat-map")
def heat_map(
    store: StoreUrl,
    period: PeriodText,
    region: RegionName = "",
    group: GroupName = "",
    form: Form = "table",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Draw it as an SVG file instead.")] = None,
) -> None:
    """Show the score of each category in each city.

    Example: cityvitals region heat-map --store sqlite:///norway.db --period 2025 --out norway.svg
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.region.heat_map import picture  # noqa: PLC0415
    from reporting.region.queries import region_heat_map  # noqa: PLC0415
    from reporting.region.text import heat_map_text  # noqa: PLC0415

    found = region_heat_map(existing_store(store), period, region, group)
    if out is None:
        sys.stdout.write(heat_map_text(found, form, width()))
    else:
        out.write_text(picture(found, f"Scores by category, {period}"), encoding="utf-8")
        sys.stdout.write(f"{out}\n")


@app.command()
def groups(form: Form = "table") -> None:
    """List the official groups that come with the program. Example: cityvitals region groups."""
    from reporting.region.groups import kostra  # noqa: PLC0415
    from reporting.tables import printed  # noqa: PLC0415

    head = ["group", "inhabitants", "bound costs", "free income", "municipalities", "note"]
    rows = [
        [g.id, "" if g.inhabitants is None else "{} to {}".format(*g.inhabitants), g.bound_costs, g.free_income,
         str(g.municipalities), g.note]
        for g in kostra().values()
    ]  # fmt: skip
    sys.stdout.write(
        printed(form, list(kostra().values()), [head, *rows], width(), "KOSTRA groups 2020, Statistics Norway")
    )


@app.command()
def peers(
    city: Annotated[str, typer.Argument(help="The city's id.")],
    store: StoreUrl,
    limit: Annotated[int, typer.Option(min=1, help="How many, nearest first.")] = 10,
    form: Form = "table",
) -> None:
    """Propose cities like this one.

    The nearest by population, density, income, climate and cars.

    Example: cityvitals region peers 3001 --store sqlite:///norway.db
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.region.queries import peers as find  # noqa: PLC0415
    from reporting.region.table import cities_of  # noqa: PLC0415
    from reporting.region.text import peers_text  # noqa: PLC0415

    opened = existing_store(store)
    names = {c.id: c.city.name for c in cities_of(opened)}
    sys.stdout.write(peers_text(find(opened, city, limit), names, form, width()))


@app.command()
def twins(
    ours: Annotated[str, typer.Argument(help="Our city's id.")],
    theirs: Annotated[str, typer.Argument(help="The other city's id.")],
    store: StoreUrl,
    period: PeriodText,
    form: Form = "table",
) -> None:
    """List where another city is ahead, with its measures.

    Example: cityvitals region twins 3001 3003 --store sqlite:///norway.db --period 2025
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.region.queries import region_twins  # noqa: PLC0415
    from reporting.region.text import twins_text  # noqa: PLC0415

    sys.stdout.write(twins_text(region_twins(existing_store(store), ours, theirs, period), form, width()))
