"""Figures computed from files that a city has: maps in GeoJSON, timetables in GTFS, bicycles in GBFS.

Each module has `GIVES`, the KPIs it computes and from what. The results are reported figures: `cityvitals kpi gather`
writes them as the file that `kpi report` reads, with the source and its SHA-256.
"""
