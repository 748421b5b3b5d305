"""Ingest: windows into the store, KPIs out of them, then the acknowledgement."""
