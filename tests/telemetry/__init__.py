"""The laws of the shared nouns: partials, wire, windows, periods, topics, units, settings."""
