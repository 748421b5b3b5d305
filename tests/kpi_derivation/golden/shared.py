"""Data from outside, beside this repository; read at run time only."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime
from typing import Any

from tests.replay.recorded import need, table

__all__ = ["need", "outage_events", "table", "vectors"]


def vectors(name: str) -> Any:
    return json.loads(need("device_payloads/vectors.json").read_text())[name]


def outage_events() -> list[dict[str, Any]]:
    """State, year, start, minutes and customers of the recorded major outages, as far as they have both."""
    with gzip.open(need("outages/purdue_events_mi_tx_wa.csv.gz"), "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        {
            "state": r["state"],
            "year": int(r["year"]),
            "start": datetime.fromisoformat(r["start_local"]),
            "minutes": float(r["duration_min_given"]),
            "customers": float(r["customers_affected"]),
        }
        for r in rows
        if r["start_local"] and r["duration_min_given"] and r["customers_affected"]
    ]
