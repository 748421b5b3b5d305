"""Panels, queries and words that several dashboards share, by subject."""
