"""InfluxDB: line protocol to write, InfluxQL to read."""
