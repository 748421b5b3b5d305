"""Checkpoints of the KPI engine in each store."""
