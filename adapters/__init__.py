"""The only package that imports I/O libraries (MQTT, SQLite, InfluxDB, serial)."""
