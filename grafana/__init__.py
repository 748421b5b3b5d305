"""Dashboards as code: generated from the KPI catalogue, committed as JSON, every query of theirs run by a test."""

from __future__ import annotations

DATASOURCE_UID = "cityvitals-influx"
