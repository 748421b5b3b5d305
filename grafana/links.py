"""Links from a number to the dashboard that explains it; they take the city and the time range along."""

from __future__ import annotations

from typing import Any

DASHBOARDS = {
    "now": "City now", "air": "Air", "energy": "Energy", "charging": "Charging", "fleet": "Fleet", "pipeline": "Pipeline",
    "kpis": "KPIs", "region": "Region",
}  # fmt: skip


def url_of(board: str, city: str = "${city}") -> str:
    """The address of a dashboard; further variables may be added with `&var-name=value`."""
    return f"/d/cityvitals-{board}?var-city={city}&${{__url_time_range}}"


def link(title: str, to: str) -> dict[str, Any]:
    """A data link; `to` is the name of a dashboard, a name with `&var-...` behind it, or an address."""
    board, more, variables = to.partition("&")
    url = url_of(board) + more + variables if board in DASHBOARDS else to
    return {"title": DASHBOARDS.get(board, title), "url": url, "targetBlank": to.startswith("$")}
