"""The commands `cityvitals figures ...`: what became of the figures that officers gather, and who did it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cityvitals.cli import VALUES
from cityvitals.options import CityId, Form, StoreUrl, Who, by, width

app = typer.Typer(help="Officers' figures: draft, submitted, verified, missing.",
                  no_args_is_help=True)  # fmt: skip

Year = Annotated[int, typer.Option("--year", min=1990, max=2100, help="The year of the figures.")]
AnyYear = Annotated[int | None, typer.Option("--year", min=1990, max=2100, help="Only this year; default: all.")]
Named = Annotated[list[str], typer.Argument(help="Figures: EC:P:IN:1C, or EN:EN:AQ:1C/no2 for a part; or `all`.")]


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="figures", rich_help_panel=VALUES)


@app.command("list")
def list_(city: CityId, store: StoreUrl, year: AnyYear = None, form: Form = "table") -> None:
    """List the entered figures with their states.

    Example: cityvitals figures list --city aberdeen --store sqlite:///aberdeen.db --year 2018
    """
    from reporting.submission.text import states_text  # noqa: PLC0415

    sys.stdout.write(states_text(_statuses(city, store, year), form, width()))


@app.command()
def history(
    figure: Annotated[str, typer.Argument(help="EC:P:IN:1C, or EN:EN:AQ:1C/no2 for a part.")],
    city: CityId,
    store: StoreUrl,
    year: AnyYear = None,
    form: Form = "table",
) -> None:
    """List what was done to a figure, when and by whom.

    Example: cityvitals figures history EC:P:IN:1C --city aberdeen --store sqlite:///aberdeen.db
    """
    from reporting.submission.text import history_text, point_named  # noqa: PLC0415

    code, part = point_named(figure)
    found = [s for s in _statuses(city, store, year) if (s.code, s.part) == (code, part)]
    sys.stdout.write(history_text(found, form, width()))


@app.command()
def missing(city: CityId, store: StoreUrl, year: Year, form: Form = "table") -> None:
    """List the KPIs that have no figure.

    Example: cityvitals figures missing --city aberdeen --store sqlite:///aberdeen.db --year 2018
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415
    from reporting.submission.missing import missing_of, missing_text  # noqa: PLC0415

    opened = existing_store(store)
    sys.stdout.write(missing_text(missing_of(opened, stored_city(opened, city), year), form, width()))


@app.command()
def submit(city: CityId, store: StoreUrl, year: Year, who: Who = "") -> None:
    """Check the drafts of a year and store them.

    Example: cityvitals figures submit --city aberdeen --store sqlite:///aberdeen.db --year 2018
    """
    from reporting.report import as_text  # noqa: PLC0415
    from reporting.submission.work import submit_drafts  # noqa: PLC0415

    opened, known = _opened(city, store)
    sys.stdout.write(as_text(submit_drafts(opened, known, year, by(who), _now()), known))


@app.command()
def verify(figure: Named, city: CityId, store: StoreUrl, year: Year, who: Who = "") -> None:
    """Confirm submitted figures; not by the person who submitted them.

    Example: cityvitals figures verify EC:P:IN:1C --city aberdeen --store sqlite:///aberdeen.db --year 2018
    """
    from reporting.submission.work import verify as confirm  # noqa: PLC0415

    count = _for_each(confirm, figure, city, store, year, who)
    sys.stdout.write(f"{count} {'figure' if count == 1 else 'figures'} of {year} verified.\n")


@app.command()
def withdraw(figure: Named, city: CityId, store: StoreUrl, year: Year, who: Who = "") -> None:
    """Drop drafts; submitted figures stay as they are.

    Example: cityvitals figures withdraw EC:P:IN:1C --city aberdeen --store sqlite:///aberdeen.db --year 2018
    """
    from reporting.submission.work import withdraw as drop  # noqa: PLC0415

    count = _for_each(drop, figure, city, store, year, who)
    sys.stdout.write(f"{count} {'draft' if count == 1 else 'drafts'} of {year} withdrawn.\n")


def _for_each(work: Callable[..., int], figures: list[str], city: str, store: str, year: int, who: str) -> int:
    from reporting.submission.text import point_named  # noqa: PLC0415
    from reporting.submission.work import may_be  # noqa: PLC0415

    opened, known = _opened(city, store)
    named = by(who)
    wanted = may_be(work, opened, known, year, named) if figures == ["all"] else [point_named(f) for f in figures]
    return work(opened, known, wanted, year, named, _now())


def _statuses(city: str, store: str, year: int | None) -> Any:  # noqa: ANN401 - imported when it runs
    from reporting.submission.work import statuses_of  # noqa: PLC0415

    opened, known = _opened(city, store)
    return statuses_of(opened, known, year)


def _opened(city: str, store: str) -> Any:  # noqa: ANN401 - imported when it runs
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415

    opened = existing_store(store)
    return opened, stored_city(opened, city)


def _now() -> int:
    return time.time_ns() // 1_000_000
