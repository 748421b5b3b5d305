"""The commands `cityvitals report ...`: documents for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import VALUES
from cityvitals.options import CityId, Form, PeriodText, StoreUrl, width

app = typer.Typer(help="Documents: the Voluntary Local Review and the view by goal.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="report", rich_help_panel=VALUES)


@app.command()
def vlr(
    city: CityId,
    store: StoreUrl,
    period: PeriodText,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")],
    texts: Annotated[
        Path | None, typer.Option(help="A folder with the city's texts: opening.md, policy.md ...")
    ] = None,
) -> None:
    """Write a Voluntary Local Review as DOCX and PDF.

    The values are added as NGSI-LD.

    Example: cityvitals report vlr --city aberdeen --store sqlite:///aberdeen.db --period 2018 --texts texts --out vlr
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.vlr.write import write_review  # noqa: PLC0415

    for path in write_review(existing_store(store), city, period, texts, out):
        sys.stdout.write(f"{path}\n")


@app.command()
def sdg(city: CityId, store: StoreUrl, period: PeriodText, form: Form = "table") -> None:
    """Show a city's figures by Sustainable Development Goal.

    Example: cityvitals report sdg --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.figures.stored import figures_of  # noqa: PLC0415
    from reporting.sdg.view import goal_views  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from reporting.tables import printed  # noqa: PLC0415
    from reporting.targets import score, stored_targets  # noqa: PLC0415

    opened = existing_store(store)
    known = stored_city(opened, city)
    _, figures = figures_of(opened, known, period)
    found = goal_views(figures, score(figures, stored_targets(known)))
    rows = [["goal", "name", "score", "scored", "with a value", "figures", "remark"]]
    for g in found:
        share = "" if g.score is None else f"{100 * g.score:.1f} %"
        rows.append([str(g.number), g.name, share, str(g.scored), str(g.with_value), str(g.figures), g.why])
    sys.stdout.write(printed(form, found, rows, width(), "a score needs two scored figures"))
