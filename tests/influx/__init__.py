"""InfluxDB 2 where the environment names one, and InfluxDB 3 as its documents describe it."""
