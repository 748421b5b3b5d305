"""InfluxDB: line protocol out, InfluxQL answers in."""
