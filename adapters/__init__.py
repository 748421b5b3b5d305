"""The rim: the only place that imports I/O libraries (MQTT, SQLite, InfluxDB, serial)."""
