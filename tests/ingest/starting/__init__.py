"""Starts of ingest."""
