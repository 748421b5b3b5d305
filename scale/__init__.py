"""Past one machine: the ingest of a city as a keyed function of a log, run by the workers of a distributed engine."""
