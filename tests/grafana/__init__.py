"""Dashboards: what the generator makes, and what a real InfluxDB answers to every query of theirs."""
