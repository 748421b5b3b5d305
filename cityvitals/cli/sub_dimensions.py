"""`cityvitals kpi sub-dimensions`: the snapshot by sub-dimension."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import DRAW, kpi
from cityvitals.options import CityId, PeriodText, StoreUrl, Targets


def add_to(_: object) -> None:
    """Register the command in the group `kpi`."""
    kpi.app.command("sub-dimensions", rich_help_panel=DRAW)(kpi_sub_dimensions)


def kpi_sub_dimensions(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    out: Annotated[Path, typer.Option("--out", "-o", help="The SVG file to write.")] = Path("sub-dimensions.svg"),
    targets: Targets = None,
) -> None:
    """Draw the seven sub-dimensions with their 27 category blocks.

    Example: cityvitals kpi sub-dimensions --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.figures.stored import figures_of  # noqa: PLC0415
    from reporting.region.blocks import picture, sub_dimensions  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from reporting.snapshot import wanted_targets  # noqa: PLC0415
    from reporting.targets import score  # noqa: PLC0415

    opened = existing_store(store)
    known = stored_city(opened, city)
    wanted = wanted_targets(known, targets)
    of, figures = figures_of(opened, known, period)
    out.write_text(
        picture(known.city.name, of.label, sub_dimensions(figures, score(figures, wanted))), encoding="utf-8"
    )
    sys.stdout.write(f"{out}\n")
