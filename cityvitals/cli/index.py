"""The commands `cityvitals index ...`: the workbench, and the side of an index that collects cities' feeds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import CITIES
from cityvitals.options import Form, GroupName, PeriodText, RegionName, Seed, StoreUrl, width

app = typer.Typer(help="An unofficial index over many cities, with its choices stated.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="index", rich_help_panel=CITIES)


@app.command()
def rank(
    store: StoreUrl,
    period: PeriodText,
    region: RegionName = "",
    group: GroupName = "",
    normalisation: Annotated[str, typer.Option(help="target or min-max.")] = "target",
    weights: Annotated[str, typer.Option(help="equal (each figure) or category.")] = "equal",
    mean: Annotated[str, typer.Option(help="arithmetic or geometric.")] = "arithmetic",
    draws: Annotated[int, typer.Option(min=1, max=100_000, help="Random weightings for the interval.")] = 1000,
    seed: Seed = 1,
    form: Form = "table",
) -> None:
    """Rank cities by a stated choice.

    The interval shows the ranks that other choices give.

    Example: cityvitals index rank --store sqlite:///norway.db --period 2025 --mean geometric
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.index.choices import choice_of  # noqa: PLC0415
    from reporting.region.queries import region_index  # noqa: PLC0415
    from reporting.region.text import index_text  # noqa: PLC0415

    choice = choice_of(normalisation, weights, mean, draws, seed)
    found = region_index(existing_store(store), period, choice, region, group)
    sys.stdout.write(index_text(found, form, width()))


@app.command()
def collect(
    feeds: Annotated[Path, typer.Argument(help="FEEDS.toml: [[feed]] with url, key, cities, token_file, region.")],
    store: StoreUrl,
) -> None:
    """Bring a copy of many cities' feeds up to date.

    Only what has changed since the last time is read.

    Example: cityvitals index collect feeds.toml --store sqlite:///index.db
    """
    from adapters.feeds import get  # noqa: PLC0415
    from adapters.stores import open_store  # noqa: PLC0415
    from cityvitals.operation.recover import only_one  # noqa: PLC0415
    from reporting.collect.collect import Cursors, collect  # noqa: PLC0415
    from reporting.collect.feeds_file import read_feeds  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if not store.startswith("sqlite:///"):
        raise UsageError("A copy is kept in an embedded store; use --store sqlite:///index.db.")
    path = Path(f"{store.removeprefix('sqlite:///')}.cursors")
    wanted = read_feeds(feeds)
    with only_one(path, "Wait until the other collection has ended."):
        result = collect(open_store(store), wanted, Cursors(path), get)
    sys.stdout.write(f"{result.values:,} values of {result.cities:,} cities copied.\n")
    for sentence in result.wrong:
        sys.stderr.write(f"{sentence}\n")
    if result.wrong:
        raise typer.Exit(1)
