"""The provenance of a value, down to each device."""
