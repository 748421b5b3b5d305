"""SQLite: the gateway's buffer and the embedded store."""
