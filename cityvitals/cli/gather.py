"""`cityvitals kpi gather`: figures from the city's maps, timetables and recorded sharing feeds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import REPORT, kpi

File = Path | None
Files = list[Path] | None


def add_to(_: object) -> None:
    """Register the command in the group `kpi`."""
    kpi.app.command("gather", rich_help_panel=REPORT)(kpi_gather)


def kpi_gather(
    city: Annotated[Path, typer.Argument(help="The city file, CITY.toml, with population and area_km2.")],
    year: Annotated[int, typer.Option(min=1990, max=2100, help="The year of the figures.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The CSV file to write, for `kpi report`.")],
    green: Annotated[File, typer.Option(help="GeoJSON polygons of green areas.")] = None,
    protected: Annotated[File, typer.Option(help="GeoJSON polygons of protected areas.")] = None,
    recreation: Annotated[File, typer.Option(help="GeoJSON polygons of recreation areas.")] = None,
    pedestrian: Annotated[File, typer.Option(help="GeoJSON polygons of pedestrian zones.")] = None,
    bicycle_paths: Annotated[File, typer.Option(help="GeoJSON lines of bicycle paths.")] = None,
    population: Annotated[File, typer.Option(help="GeoJSON points with a property `population`.")] = None,
    gtfs: Annotated[File, typer.Option(help="GTFS feed, a zip file.")] = None,
    updates: Annotated[Files, typer.Option(help="Recorded GTFS trip updates as JSON; may be repeated.")] = None,
    bicycles: Annotated[Files, typer.Option(help="GBFS station_status or vehicle_status; may be repeated.")] = None,
    vehicles: Annotated[Files, typer.Option(help="The same for shared cars; may be repeated.")] = None,
    green_m: Annotated[float, typer.Option(min=1, help="Distance that counts as access to green, m.")] = 300.0,
    green_ha: Annotated[float, typer.Option(min=0, help="Smallest green area that counts, ha.")] = 0.5,
) -> None:
    """Compute figures from files into a CSV for `kpi report`.

    Example: cityvitals kpi gather aberdeen.toml --year 2026 --green green.geojson --out gathered.csv
    """
    from registry.config import load_city  # noqa: PLC0415
    from registry.extras import need  # noqa: PLC0415

    need("report", "shapely")
    from reporting.files.gather import Inputs, gathered  # noqa: PLC0415

    given = Inputs(
        green=green, protected=protected, recreation=recreation, pedestrian=pedestrian, bicycle_paths=bicycle_paths,
        population=population, gtfs=gtfs, updates=tuple(updates or ()), bicycles=tuple(bicycles or ()),
        vehicles=tuple(vehicles or ()), green_m=green_m, green_ha=green_ha,
    )  # fmt: skip
    out.write_text(gathered(load_city(city), year, given), encoding="utf-8")
    sys.stdout.write(f"{out}\n")
