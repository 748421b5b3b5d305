"""`cityvitals kpi goals`: targets with baseline and deadline, the rate they need and the rate there is."""

from __future__ import annotations

import sys

from cityvitals.cli import READ, kpi
from cityvitals.options import CityId, Form, StoreUrl, Targets, width


def add_to(_: object) -> None:
    """Register the command in the group `kpi`."""
    kpi.app.command("goals", rich_help_panel=READ)(kpi_goals)


def kpi_goals(city: CityId, store: StoreUrl, targets: Targets = None, form: Form = "table") -> None:
    """Show whether a city will reach its targets in time.

    Example: cityvitals kpi goals --city aberdeen --store sqlite:///aberdeen.db
    """
    from cityvitals.past_store import existing_store  # noqa: PLC0415
    from reporting.goals.stored import entries_of, goals_of  # noqa: PLC0415
    from reporting.goals.text import goals_text  # noqa: PLC0415
    from reporting.show import stored_city  # noqa: PLC0415

    opened = existing_store(store)
    found = goals_of(opened, stored_city(opened, city), entries_of(targets))
    sys.stdout.write(goals_text(found, form, width()))
